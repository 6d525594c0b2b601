/**
 * The value of a Vary header that also names `field` (RFC 9110 section 12.5.5). Used by everything that
 * negotiates.
 */
export function mergeVary(current: string | undefined, field: string): string {
  if (current === undefined || current.trim() === '') return field;
  const names = current.split(',').map((name) => name.trim().toLowerCase());
  return names.includes('*') || names.includes(field.toLowerCase()) ? current : `${current}, ${field}`;
}
