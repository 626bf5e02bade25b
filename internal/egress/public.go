package egress

// Which addresses are public.

import (
	"net/netip"
	"slices"
)

// special are the networks within IPv4 and 2000::/3 that are not, or not only, those of
// public servers: the registries of special-purpose addresses of IANA (RFC 6890), whose
// addresses are not all marked as globally reachable.
var special = prefixes(
	"0.0.0.0/8",       // this network; 0.0.0.0 is this machine
	"10.0.0.0/8",      // private (RFC 1918)
	"100.64.0.0/10",   // shared, of providers' NAT (RFC 6598)
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local (RFC 3927), with the metadata services
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocols (RFC 6890)
	"192.0.2.0/24",    // documentation (RFC 5737)
	"192.88.99.0/24",  // relays of 6to4 (RFC 7526)
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks (RFC 2544)
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and broadcast
	"2001::/23",       // protocols: Teredo (RFC 4380), benchmarks, ORCHID
	"2001:db8::/32",   // documentation (RFC 3849)
	"2002::/16",       // 6to4 (RFC 3056): any IPv4 address
	"3fff::/20",       // documentation (RFC 9637)
)

// metadata are the addresses at which providers serve credentials to machines, and those
// that are link-local.
var metadata = prefixes(
	"169.254.0.0/16", // most of them: .169.254, .169.253 and .170.2 of AWS, .0.23 of Tencent
	"100.100.100.200/32",
	"168.63.129.16/32", // Azure; a public address
	"192.0.0.192/32",   // Oracle
	"fd00:ec2::/32",    // AWS
	"fd20:ce::/32",     // Google
	"fd00:42::42/128",  // Scaleway
	"fe80::/10",
)

var (
	unicast   = netip.MustParsePrefix("2000::/3")     // what of IPv6 is in use on the Internet
	translate = netip.MustParsePrefix("64:ff9b::/96") // NAT64 (RFC 6052): an IPv4 address at the end
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// Public reports whether an address is one of a public server: not of this machine, of a
// local or private network, of a group, or for a special purpose. An address with a zone is
// not public. An IPv4 address within an IPv6 address counts as that address.
func Public(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	for _, a := range append(embedded(addr), addr.Unmap()) {
		if isIn(special, a) || a.Is6() && !unicast.Contains(a) && !translate.Contains(a) || !a.IsValid() {
			return false
		}
	}
	return !isMetadata(addr)
}

// isMetadata reports whether the address is one of metadata, in any form.
func isMetadata(addr netip.Addr) bool {
	addr = addr.WithZone("")
	return isIn(metadata, addr.Unmap()) || slices.ContainsFunc(embedded(addr), func(a netip.Addr) bool { return isIn(metadata, a) })
}

func isIn(list []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// embedded returns the IPv4 addresses to which packets for an IPv6 address may go.
func embedded(addr netip.Addr) (list []netip.Addr) {
	if !addr.Is6() || addr.Is4In6() {
		return nil
	}
	b := addr.As16()
	four := func(i int) { list = append(list, netip.AddrFrom4([4]byte(b[i:i+4]))) }
	switch {
	case b[0] == 0x20 && b[1] == 0x02: // 6to4
		four(2)
	case b[0] == 0 && b[1] == 0x64 && b[2] == 0xFF && b[3] == 0x9B: // NAT64, also that for local use (RFC 8215)
		four(12)
	case [10]byte(b[:10]) == [10]byte{} || [12]byte(b[:12]) == [12]byte{8: 0xFF, 9: 0xFF}: // compatible (RFC 4291), translated (RFC 2765)
		four(12)
	case b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5E && b[11] == 0xFE: // ISATAP (RFC 5214)
		four(12)
	}
	return list
}
