// The version of Nightshift, written into every manifest; equal to package.json (tested).

export const TOOL_VERSION = '0.1.0';
