// What steps 6 to 8 show, once there is a result: code that comes after a model can be read
// (lib/engine.ts).
export { Compare } from './compare';
export { Download } from './download';
export { Report } from './report';
