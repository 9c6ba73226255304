/* SPDX-License-Identifier: BSD-2-Clause */
/* For builds without a C library: words as they are in memory. */
#ifndef CHIC_FREESTANDING_ENDIAN_H
#define CHIC_FREESTANDING_ENDIAN_H

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define le64toh(x) (x)
#define htole64(x) (x)
#else
#define le64toh(x) __builtin_bswap64(x)
#define htole64(x) __builtin_bswap64(x)
#endif

#endif /* CHIC_FREESTANDING_ENDIAN_H */
