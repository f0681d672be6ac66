package kube

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/kubelts/kubelts/internal/cluster"
)

const (
	requestedMetric = "apiserver_requested_deprecated_apis"
	maxMetrics      = 256 << 20 // bytes of an answer that are read through
	maxFamily       = 1 << 20   // bytes of the family that is wanted
)

// deprecated reads from a server's metrics which deprecated APIs it was asked for. Everything else of the metrics is dropped as it comes.
func (c *client) deprecated(ctx context.Context, instance string) ([]cluster.DeprecatedAPI, error) {
	body, err := c.open(ctx, question{verb: "get", path: "/metrics", accept: "text/plain"})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	limited := &io.LimitedReader{R: body, N: maxMetrics}
	text, err := family(limited, requestedMetric)
	if err != nil {
		return nil, err
	}
	if limited.N == 0 {
		return nil, fmt.Errorf("more than %d bytes of metrics", maxMetrics)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	var out []cluster.DeprecatedAPI
	for _, m := range families[requestedMetric].GetMetric() {
		one := cluster.DeprecatedAPI{Instance: instance}
		for _, l := range m.GetLabel() {
			value := bounded(l.GetValue())
			switch l.GetName() {
			case "group":
				one.Group = value
			case "version":
				one.Version = value
			case "resource":
				one.Resource = value
			case "subresource":
				one.Subresource = value
			case "removed_release":
				one.Removed = value
			}
		}
		if m.GetGauge().GetValue() > 0 || m.GetUntyped().GetValue() > 0 {
			out = append(out, one)
		}
	}
	return out, nil
}

// family returns the lines of one family. An answer that has no line of metrics at all is an error.
func family(in io.Reader, name string) ([]byte, error) {
	var kept bytes.Buffer
	lines, some := bufio.NewReaderSize(in, 64<<10), false
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // no line that is wanted is so long
			line, err = nil, skipLine(lines)
		}
		some = some || bytes.HasPrefix(line, []byte("# TYPE "))
		if ofFamily(line, name) {
			if kept.Len()+len(line) > maxFamily {
				return nil, fmt.Errorf("more than %d bytes of %s", maxFamily, name)
			}
			kept.Write(line)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if !some {
		return nil, errors.New("the answer has no metrics")
	}
	if n := kept.Len(); n > 0 && kept.Bytes()[n-1] != '\n' {
		kept.WriteByte('\n')
	}
	return kept.Bytes(), nil
}

func skipLine(lines *bufio.Reader) error {
	for {
		if _, err := lines.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func ofFamily(line []byte, name string) bool {
	if rest, ok := bytes.CutPrefix(line, []byte("# TYPE ")); ok {
		line = rest
	}
	rest, ok := bytes.CutPrefix(line, []byte(name))
	return ok && len(rest) > 0 && (rest[0] == '{' || rest[0] == ' ')
}
