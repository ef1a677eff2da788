/** Addresses in the header `Location`. Source: RFC 3986, section 2. */

// An IPv6 address, which is between brackets, or a character that a URI may not have.
const special =
  /(^(?:[A-Za-z][\dA-Za-z+.-]*:)?\/\/(?:[\w!$%&'()*+,.:;=~-]*@)?\[[\dA-Fa-f:.]+\])|[^\w!#$%&'()*+,./:;=?@~-]|%(?![\dA-Fa-f]{2})/gu

/**
 * Returns the address with every character percent-encoded that a URI may not have: letters
 * beyond ASCII, spaces, control characters. What is encoded already stays as it is.
 */
export const encoded = (address: string): string =>
  address
    .toWellFormed()
    .replaceAll(special, (match, ipv6?: string) => ipv6 ?? encodeURIComponent(match))
