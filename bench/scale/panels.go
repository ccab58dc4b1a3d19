package main

import (
	"fmt"

	"github.com/go-lxmert/lxmert/bench/internal/chart"
)

var shares = chart.Axis{High: 100, Ticks: chart.Ticks(" %", 0, 20, 40, 60, 80, 100)}

// batchPanel is the share of the machines' time that goes into pictures.
func batchPanel(m *measured) chart.Panel {
	p := chart.Panel{Title: "Extraction: machines' time that is used", Y: shares,
		X: chart.Axis{Name: "machines", Low: 1, High: 4096, Logarithmic: true, Ticks: chart.Ticks("", 1, 4, 16, 64, 256, 1024, 4096)}}
	for i, c := range []struct {
		name     string
		pictures float64
	}{{"180 k", 180e3}, {"1 M", 1e6}, {"10 M", 10e6}, {"100 M", 100e6}} {
		s := chart.Series{Name: c.name, Color: chart.Color(i)}
		for _, n := range fleets {
			o := m.job(c.pictures, n).play(1)
			s.Points = append(s.Points, chart.Point{X: float64(n), Y: 100 * o.efficiency, Name: fmt.Sprintf("%s pictures on %d machines: %s", c.name, n, duration(o.seconds))})
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// trainingPanel is how many times as fast a step is as on one machine, as a share of the machines.
func trainingPanel(m *measured) chart.Panel {
	p := chart.Panel{Title: "Pre-training: machines' time that is used", Y: shares,
		X: chart.Axis{Name: "machines", Low: 1, High: 128, Logarithmic: true, Ticks: chart.Ticks("", 1, 2, 4, 8, 16, 32, 64, 128)}}
	one, _ := m.course(1, networks[0], 4).mean(m.Training)
	for i, net := range networks {
		s := chart.Series{Name: net.name, Color: chart.Color(i)}
		for _, n := range ranks {
			step, _ := m.course(n, net, 4).mean(m.Training)
			s.Points = append(s.Points, chart.Point{X: float64(n), Y: 100 * one / step / float64(n), Name: fmt.Sprintf("%d machines: %s a step", n, seconds(step))})
		}
		p.Series = append(p.Series, s)
	}
	return p
}
