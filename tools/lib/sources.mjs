// The third-party C++ sources and protoc, fetched by checksum from registries into the cache
// folder: protobuf and nlohmann/json from Debian, onnx from PyPI; third_party/sources.json has
// versions and checksums.
import fs from 'node:fs';
import path from 'node:path';
import {
  codename,
  downloadFromPool,
  isDebian,
  triplet,
  unpackDeb,
  unpackDebs,
  verify,
  wrapper,
} from './debian.mjs';
import { cache, once, root, which } from './paths.mjs';
import { output, run, SetupError, shared, step, together } from './steps.mjs';

const pins = JSON.parse(fs.readFileSync(path.join(root, 'third_party/sources.json'), 'utf8'));
const { protobuf, onnx, 'nlohmann-json': json } = pins;

/** Folders of the sources, each fetched once. */
export const sources = shared(async () => {
  const [protobufDir, onnxDir, jsonDir, protocFile] = await together(
    () => fetched(`protobuf-${protobuf.version}`, fetchProtobuf),
    () => fetched(`onnx-${onnx.version}`, fetchOnnx),
    () => fetched(`nlohmann-json-${json.version}`, fetchJson),
    protoc,
  );
  return { protobuf: protobufDir, onnx: onnxDir, json: jsonDir, protoc: protocFile };
});

async function fetched(name, fetch) {
  const dir = path.join(cache, 'sources', name);
  if (!fs.existsSync(path.join(dir, '.complete')))
    await step(`Sources of ${name}`, () => once(dir, fetch));
  return dir;
}

async function fetchProtobuf(dir) {
  const name = `protobuf_${protobuf.version}.orig.tar.gz`;
  const file = path.join(dir, name);
  const byHand = path.join(cache, 'sources', name);
  if (fs.existsSync(byHand)) fs.copyFileSync(byHand, file);
  else if (isDebian) await downloadFromPool(file, `pool/main/p/protobuf/${name}`, protobuf.sha256);
  if (!fs.existsSync(file)) {
    throw new SetupError(`The sources of protobuf ${protobuf.version} are fetched from Debian, which this machine does not run.
Download the source archive of its release v${protobuf.version} (tar.gz) and save it as ${byHand}, then run this again.`);
  }
  verify(file, protobuf.sha256);
  await run('tar', [
    '-xzf',
    file,
    '-C',
    dir,
    '--strip-components=1',
    '--wildcards',
    '*/src/*',
    '*/cmake/*',
    '*/CMakeLists.txt',
    '*/configure.ac',
    '*/LICENSE',
    '*.pc.in',
  ]);
  fs.rmSync(file);
}

async function fetchJson(dir) {
  const system = '/usr/include/nlohmann';
  if (isDebian) {
    const name = `nlohmann-json3-dev_${json.debian}_all.deb`;
    const file = path.join(dir, name);
    await downloadFromPool(file, `pool/main/n/nlohmann-json3/${name}`, json.sha256);
    await unpackDeb(dir, file);
    fs.rmSync(file);
    fs.renameSync(path.join(dir, 'usr/include'), path.join(dir, 'include'));
    fs.rmSync(path.join(dir, 'usr'), { recursive: true });
  } else if (fs.existsSync(system))
    fs.cpSync(system, path.join(dir, 'include/nlohmann'), { recursive: true });
  else
    throw new SetupError(
      "The headers of nlohmann/json are needed: install your system's package of it (nlohmann-json), then run this again.",
    );
}

async function fetchOnnx(dir) {
  const requirements = path.join(dir, 'requirements.txt');
  fs.writeFileSync(requirements, `onnx==${onnx.version} --hash=sha256:${onnx.sha256}\n`);
  const pip = await findPip();
  const stand = standIn(path.join(dir, 'stand-in'));
  await run(
    'python3',
    [
      ...pip,
      'download',
      '-q',
      '--no-deps',
      '--no-build-isolation',
      '--no-binary',
      'onnx',
      '--require-hashes',
      '-d',
      dir,
      '-r',
      requirements,
    ],
    {
      env: { PYTHONPATH: stand },
      hint: `pip could not download onnx ${onnx.version}. Check the network and that \`pip download onnx==${onnx.version}\` works, then run this again.`,
    },
  );
  fs.rmSync(stand, { recursive: true });
  const file = path.join(dir, `onnx-${onnx.version}.tar.gz`);
  await run('tar', [
    '-xzf',
    file,
    '-C',
    dir,
    '--strip-components=1',
    '--wildcards',
    '*/onnx/*',
    '*/LICENSE',
    '--exclude=*/backend/test/*',
  ]);
  fs.rmSync(file);
}

/**
 * Writes to `dir` what stands in for onnx's build system: pip asks it for the name and the version
 * of what was downloaded, and would install it, with a CMake, and run it for that.
 */
function standIn(dir) {
  const info = `onnx-${onnx.version}.dist-info`;
  fs.mkdirSync(path.join(dir, 'scikit_build_core'), { recursive: true });
  fs.writeFileSync(
    path.join(dir, 'scikit_build_core/build.py'),
    `import os

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    os.mkdir(os.path.join(directory, '${info}'))
    with open(os.path.join(directory, '${info}', 'METADATA'), 'w') as file:
        file.write('Metadata-Version: 2.1\\nName: onnx\\nVersion: ${onnx.version}\\n')
    return '${info}'
`,
  );
  return dir;
}

/**
 * pip as arguments of python3: the installed one, else Debian's wheel, run from the cache and
 * installed nowhere.
 */
async function findPip() {
  if ((await output('python3', ['--version'])) === null) {
    throw new SetupError(
      'python3 is needed: install it (Debian: sudo apt-get install python3), then run this again.',
    );
  }
  if ((await output('python3', ['-m', 'pip', '--version'])) !== null) return ['-m', 'pip'];
  if (!isDebian)
    throw new SetupError(
      'pip is needed to fetch onnx: install it for python3, then run this again.',
    );
  const dir = await once(path.join(cache, `pip-${codename}`), (target) =>
    unpackDebs(target, codename, ['python3-pip-whl']),
  );
  const wheels = path.join(dir, 'usr/share/python-wheels');
  return [
    path.join(
      wheels,
      fs.readdirSync(wheels).find((name) => name.startsWith('pip-')),
      'pip',
    ),
  ];
}

/** protoc of the sources' own release line: one on PATH, else Debian's package in the cache. */
async function protoc() {
  const found = which('protoc');
  if (found && /\b(3\.)?21\.\d+/.test((await output(found, ['--version'])) ?? '')) return found;
  if (!isDebian)
    throw new SetupError(
      `protoc of protobuf 3.21 is needed on PATH: install it, then run this again.`,
    );
  const dir = path.join(cache, `protoc-${codename}`);
  const packages =
    codename === 'bookworm'
      ? ['libprotoc32', 'libprotobuf32']
      : ['libprotoc32t64', 'libprotobuf32t64'];
  if (!fs.existsSync(path.join(dir, '.complete'))) {
    await step('protoc', () =>
      once(dir, async () => {
        await unpackDebs(dir, codename, ['protobuf-compiler', ...packages]);
        wrapper(
          path.join(dir, 'protoc'),
          path.join(dir, 'usr/bin/protoc'),
          path.join(dir, 'usr/lib', triplet),
        );
      }),
    );
  }
  return path.join(dir, 'protoc');
}
