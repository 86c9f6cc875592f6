/** Whether `npm run coverage` runs the tests, for which tsc's modules take the bundles' place. */
export const isCoverage = 'NODE_V8_COVERAGE' in process.env;
