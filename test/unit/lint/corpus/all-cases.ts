export const corpus: any[] = [];
