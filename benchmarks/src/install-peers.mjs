/** Installs the JavaScript peers, which the workspace leaves out to stay light. */

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { folder } from './paths.mjs';

/** npm of the running Node, without a shell where it can be found. */
function npm() {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const cli = [process.env.npm_execpath, beside].find(path => path?.endsWith('npm-cli.js') && existsSync(path));
  return cli ? [process.execPath, cli] : ['npm'];
}

/** @returns {Promise<number>} the exit status of npm */
export function installPeers() {
  const [program, ...first] = npm();
  const args = [...first, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
  const child = spawn(program, args, {
    cwd: folder('peers'),
    stdio: 'inherit',
    shell: program === 'npm' && process.platform === 'win32',
  });
  return new Promise(resolve => {
    child.on('error', error => {
      process.stderr.write(`${error.message}\n`);
      resolve(1);
    });
    child.on('close', code => resolve(code ?? 1));
  });
}
