// asl-validator 4.0.0 comes without types.
declare module 'asl-validator' {
  interface Options {
    checkPaths: boolean;
    checkArn: boolean;
  }
  interface Validated {
    isValid: boolean;
    errorsText: (separator?: string) => string;
  }
  function validate(definition: object, options?: Options): Validated;
  export = validate;
}
