/** Imported first by every script here: an old Node gets a sentence instead of a syntax error from a dependency. */

const wanted = [20, 19];
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < wanted[0] || (major === wanted[0] && minor < wanted[1])) {
  process.stderr.write(
    `Heddle needs Node ${wanted.join('.')} or newer, and this is Node ${process.versions.node}.\n` +
      'Install a newer one (or put it first on the PATH), then run the same command again.\n',
  );
  process.exit(1);
}
