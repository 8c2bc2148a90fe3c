// Run a Python program in a site's own Pyodide: node run_python.mjs <folder of Pyodide> <package>... < program.py
// The program finds that folder at /pyodide.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...packages] = [resolve(process.argv[2]), ...process.argv.slice(3)];
const environment = Object.entries(process.env).filter(([name]) => name.startsWith("PYTHON") && name !== "PYTHONPATH");
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")).href);
const pyodide = await loadPyodide({
    indexURL: folder + "/",
    packages,
    env: { HOME: "/home/pyodide", ...Object.fromEntries(environment) },
});
pyodide.setStdout({ batched: (line) => console.log(line) });
pyodide.mountNodeFS("/pyodide", folder);
try {
    await pyodide.runPythonAsync(readFileSync(0, "utf8"));
    process.exit(0);
} catch (error) {
    console.error(error.message);
    process.exit(1);
}
