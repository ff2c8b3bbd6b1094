// A Python with the protocol's client, in a folder of its own below `node_modules`.
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"

const folder = join(import.meta.dirname, "node_modules/.python")

export function python() {
  const program = join(folder, "bin/python")
  if (existsSync(join(folder, "ready"))) return program
  const wanted = join(import.meta.dirname, "requirements.txt")
  execFileSync("python3", ["-m", "venv", "--clear", folder], { stdio: "inherit" })
  execFileSync(program, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted], { stdio: "inherit" })
  execFileSync("touch", [join(folder, "ready")])
  return program
}
