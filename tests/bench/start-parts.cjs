// Loaded into the command before it begins (node --require): at its end, the CPU time of each part
// of the run goes to file descriptor 3 as JSON. What several threads do at the same time counts to
// the part that waits for it.
const fs = require('node:fs');
const Module = require('node:module');

const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};
const parts = { start: 0, compile: 0, runtime: 0, sessions: 0, runs: 0, inference: 0 };
parts.start = now();

let loaded = null;
const { Module: Compiled } = WebAssembly;
WebAssembly.Module = class extends Compiled {
  constructor(bytes) {
    loaded ??= now();
    const begin = now();
    super(bytes);
    parts.compile += now() - begin;
  }
};

async function timed(part, work) {
  const begin = now();
  try {
    return await work();
  } finally {
    parts[part] += now() - begin;
  }
}

const { _load: load } = Module;
Module._load = function (name, ...more) {
  if (name !== 'onnxruntime-node') return load.call(this, name, ...more);
  const begin = now();
  const runtime = load.call(this, name, ...more);
  parts.runtime += now() - begin;
  const { InferenceSession } = runtime;
  const { create } = InferenceSession;
  InferenceSession.create = async (...words) => {
    const session = await timed('sessions', () => create.apply(InferenceSession, words));
    const { run } = session;
    session.run = (...feeds) => {
      parts.runs++;
      return timed('inference', () => run.apply(session, feeds));
    };
    return session;
  };
  return runtime;
};

process.on('exit', () => {
  const all = now();
  fs.writeSync(3, JSON.stringify({ ...parts, modules: (loaded ?? all) - parts.start, all }));
});
