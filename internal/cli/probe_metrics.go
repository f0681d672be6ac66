package cli

import (
	"io"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/kubelts/kubelts/internal/pki"
	"github.com/kubelts/kubelts/internal/probe"
)

// probeMetrics are the results as metrics: times, not what is left of them, so that they stay true when they are read later.
type probeMetrics struct {
	results []probe.Result

	observed, instances, start, end *prometheus.Desc
}

func newProbeMetrics(results []probe.Result) *probeMetrics {
	target := []string{"target", "kind", "address"}
	return &probeMetrics{
		results:   results,
		observed:  prometheus.NewDesc("kubelts_probe_observed", "1 if what the kind of the target promises was seen, for an API server its loopback certificate.", target, nil),
		instances: prometheus.NewDesc("kubelts_apiserver_instances", "API server instances seen at the address, at least.", target, nil),
		start:     prometheus.NewDesc("kubelts_apiserver_process_start_timestamp_seconds", "When the API server process started, by its loopback certificate.", append(target, "serial", "subject"), nil),
		end:       prometheus.NewDesc("kubelts_certificate_not_after_timestamp_seconds", "When the certificate ends.", append(target, "role", "serial", "subject"), nil),
	}
}

// Describe implements [prometheus.Collector].
func (m *probeMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.observed, m.instances, m.start, m.end} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *probeMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, r := range m.results {
		labels := []string{r.Target, string(r.Kind), r.Address}
		observed := 0.0
		if r.Observed {
			observed = 1
		}
		gauge(m.observed, observed, labels...)
		if r.Kind == probe.APIServer {
			gauge(m.instances, float64(r.Instances), labels...)
		}
		for _, c := range distinct(r.Certificates) {
			gauge(m.end, float64(c.NotAfter.Unix()), append(labels, string(c.Role), c.Serial, c.Subject)...)
			if c.ProcessStart != nil {
				gauge(m.start, float64(c.ProcessStart.Unix()), append(labels, c.Serial, c.Subject)...)
			}
		}
	}
}

// distinct leaves one certificate for each set of labels: the first to end. A serial number alone tells little: the loopback certificates of
// old kube-apiservers all have number 2, their authorities number 1. Their names tell the second in which they were made.
func distinct(all []pki.Certificate) []pki.Certificate {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b pki.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	seen := map[[3]string]bool{}
	return slices.DeleteFunc(sorted, func(c pki.Certificate) bool {
		key := [3]string{string(c.Role), c.Serial, c.Subject}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// writeMetrics writes the results in Prometheus' text format, for a node exporter's textfile collector.
func writeMetrics(w io.Writer, results []probe.Result) error {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(newProbeMetrics(results)); err != nil {
		return err
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(w, family); err != nil {
			return err
		}
	}
	return nil
}
