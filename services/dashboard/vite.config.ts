/** How the page is built into `dist`, and served with hot reload by `pnpm dev:page` beside a running server. */
import { defineConfig } from "vite";
import { precompress } from "./precompress.ts";

const server = process.env["DASHBOARD_URL"] ?? "http://localhost:3000";

export default defineConfig(({ mode }) => ({
  root: "page",
  // Relative addresses: the page works below any path that a proxy puts it under.
  base: "./",
  // Somebody waits for the first `npm start`: 70 kB become 75, in half the time.
  plugins: [precompress(mode === "quick" ? { quality: 5 } : {})],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2022",
    // The strict CSP allows neither inline scripts nor inline styles: everything is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    // What the page is made of goes with it: these packages are in no list of the server's.
    license: { fileName: "licences.md" },
  },
  // All that the page uses, known before it is first asked for: found out while it loads, it would be reloaded for it, and
  // a server killed meanwhile would leave the browser with half of it.
  optimizeDeps: { include: ["chart.js", "socket.io-client"], noDiscovery: true },
  server: {
    port: 5173,
    proxy: { "/socket.io": { target: server, ws: true }, "/opening.json": { target: server } },
  },
}));
