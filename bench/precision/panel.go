package main

import (
	"fmt"

	"github.com/go-lxmert/lxmert/bench/internal/chart"
	"github.com/go-lxmert/lxmert/model"
)

// panel is a plot of a model's errors.
func (l layers) panel(title string) chart.Panel {
	p := chart.Panel{
		Title: title + ": error as a share of the hidden states",
		X:     chart.Axis{High: float64(len(l.names) - 1)},
		Y: chart.Axis{Low: 1e-4, High: 1e-1, Logarithmic: true,
			Ticks: []chart.Tick{{At: 1e-4, Label: "0.01 %"}, {At: 1e-3, Label: "0.1 %"}, {At: 1e-2, Label: "1 %"}, {At: 1e-1, Label: "10 %"}}},
	}
	for i, name := range l.names {
		p.X.Ticks = append(p.X.Ticks, chart.Tick{At: float64(i), Label: name})
	}
	colors := map[model.Precision]chart.Color{model.BFloat16: chart.Blue, model.Int8: chart.Orange}
	for _, precision := range precisions {
		s := chart.Series{Name: precision.String(), Color: colors[precision]}
		for i, v := range l.errors[precision] {
			s.Points = append(s.Points, chart.Point{X: float64(i), Y: v, Name: fmt.Sprintf("%s: %.3f %%", l.names[i], 100*v)})
		}
		p.Series = append(p.Series, s)
	}
	return p
}
