package batch

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

// Namespace is that of the metrics.
const Namespace = "lxmert"

var (
	partsDone   = beam.NewCounter(Namespace, "parts done")
	partsWhole  = beam.NewCounter(Namespace, "parts that were whole already")
	itemsSeen   = beam.NewCounter(Namespace, "items")
	itemsMade   = beam.NewCounter(Namespace, "items done")
	deadLetters = beam.NewCounter(Namespace, "dead letters")
	regionsMade = beam.NewCounter(Namespace, "regions")
	partItems   = beam.NewDistribution(Namespace, "items of a part")
	partBytes   = beam.NewDistribution(Namespace, "bytes of a part")
	partTime    = beam.NewDistribution(Namespace, "milliseconds of a part")
	loadTime    = beam.NewDistribution(Namespace, "milliseconds to load a model")
)

// count counts a part. It is for the goroutine of the bundle.
func count(ctx context.Context, d Done) {
	itemsSeen.Inc(ctx, int64(d.Items))
	itemsMade.Inc(ctx, int64(d.Made))
	deadLetters.Inc(ctx, int64(d.DeadLetters))
	regionsMade.Inc(ctx, int64(d.Regions))
	partItems.Update(ctx, int64(d.Items))
	partBytes.Update(ctx, d.Bytes)
	if d.Whole {
		partsWhole.Inc(ctx, 1)
		return
	}
	partsDone.Inc(ctx, 1)
	partTime.Update(ctx, d.Milliseconds)
}

// A Metric is a counter's sum, or a distribution of so many values.
type Metric struct {
	Name         string
	Sum          int64
	Count        int64 // 0 for a counter
	Least, Most  int64
	Distribution bool
}

// Mean is the distribution's.
func (m Metric) Mean() float64 {
	if m.Count == 0 {
		return 0
	}
	return float64(m.Sum) / float64(m.Count)
}

// Metrics are those of a job that has come to its end, by name, as far as the runner gives them.
func Metrics(result beam.PipelineResult) []Metric {
	if result == nil {
		return nil
	}
	byName := map[string]*Metric{}
	of := func(name string) *Metric {
		m := byName[name]
		if m == nil {
			m = &Metric{Name: name}
			byName[name] = m
		}
		return m
	}
	all := result.Metrics().AllMetrics()
	for _, c := range all.Counters() {
		if c.Namespace() == Namespace {
			of(c.Name()).Sum += c.Result()
		}
	}
	for _, d := range all.Distributions() {
		if v := d.Result(); d.Namespace() == Namespace && v.Count > 0 {
			m := of(d.Name())
			if !m.Distribution || v.Min < m.Least {
				m.Least = v.Min
			}
			m.Most = max(m.Most, v.Max)
			m.Sum += v.Sum
			m.Count += v.Count
			m.Distribution = true
		}
	}
	var metrics []Metric
	for _, m := range byName {
		metrics = append(metrics, *m)
	}
	slices.SortFunc(metrics, func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) })
	return metrics
}

// PrintMetrics writes a line for each.
func PrintMetrics(w io.Writer, metrics []Metric) error {
	for _, m := range metrics {
		text := fmt.Sprint(m.Sum)
		if m.Distribution {
			text = fmt.Sprintf("%.1f (%d to %d, of %d)", m.Mean(), m.Least, m.Most, m.Count)
		}
		if _, err := fmt.Fprintf(w, "%-30s %s\n", m.Name, text); err != nil {
			return err
		}
	}
	return nil
}
