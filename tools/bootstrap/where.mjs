/** Says where it runs: which Node, and where programs are looked for. */
process.stdout.write(JSON.stringify({ node: process.execPath, path: process.env.PATH ?? process.env.Path }));
