// What is used of fflate, loaded with import() by what meets packed bytes: most jobs have JPEG
// images and read no zip file, and Node takes 25 ms of CPU to load it. A module of its own, so that
// bundlers leave out the rest of fflate.
export { Inflate, unzlibSync } from 'fflate';
