package cluster

// Area is the part of a report that a finding belongs to.
type Area string

// The areas, in the order of a report.
const (
	Loopback        Area = "loopback"
	Certificates    Area = "certificates"
	Support         Area = "support"
	Vulnerabilities Area = "vulnerabilities"
	Skew            Area = "skew"
	Nodes           Area = "nodes"
	APIs            Area = "apis"
)

// Areas are all areas, in the order of a report.
func Areas() []Area {
	return []Area{Loopback, Certificates, Support, Vulnerabilities, Skew, Nodes, APIs}
}
