// Run a Python program in the site's own Pyodide: node run_python.mjs <site> < program.py
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = join(resolve(process.argv[2]), "static", "pyodide");
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")).href);
const pyodide = await loadPyodide({ indexURL: folder + "/", packages: ["vidgen-nb"] });
pyodide.setStdout({ batched: (line) => console.log(line) });
try {
    await pyodide.runPythonAsync(readFileSync(0, "utf8"));
    process.exit(0);
} catch (error) {
    console.error(error.message);
    process.exit(1);
}
