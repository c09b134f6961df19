/**
 * The commit that a built program was made from, or null in a checkout:
 * scripts/build.ts puts another such file in its place.
 */
export const COMMIT: string | null = null;
