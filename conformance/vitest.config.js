import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["open.test.js", "behind-keys.test.js"],
    testTimeout: 30_000,
    // Names in the suite hold the time of day: two at once on one server could meet.
    fileParallelism: false,
  },
})
