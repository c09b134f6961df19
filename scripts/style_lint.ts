export default { name: "step-rekey", rules: {} } satisfies Deno.lint.Plugin;
