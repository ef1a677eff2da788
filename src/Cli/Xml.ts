/** Text in XML and HTML. */

/** Returns a text as it stands in an element or in an attribute. XML has no other control characters. */
export const escape = (text: string): string =>
  text
    // oxlint-disable-next-line no-control-regex -- XML 1.0 cannot have them
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
