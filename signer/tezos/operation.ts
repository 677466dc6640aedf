export interface Operation {
  readonly kind: string;
  readonly tag: number;
}
