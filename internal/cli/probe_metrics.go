package cli

import (
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

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
		start:     prometheus.NewDesc("kubelts_apiserver_process_start_timestamp_seconds", "When the API server process started, by its loopback certificate.", append(target, "serial"), nil),
		end:       prometheus.NewDesc("kubelts_certificate_not_after_timestamp_seconds", "When the certificate ends.", append(target, "role", "serial"), nil),
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
		sent := map[string]bool{}
		for _, c := range r.Certificates {
			if sent[string(c.Role)+c.Serial] {
				continue
			}
			sent[string(c.Role)+c.Serial] = true
			gauge(m.end, float64(c.NotAfter.Unix()), append(labels, string(c.Role), c.Serial)...)
			if c.ProcessStart != nil {
				gauge(m.start, float64(c.ProcessStart.Unix()), append(labels, c.Serial)...)
			}
		}
	}
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
