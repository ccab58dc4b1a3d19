package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// TestSVG draws two panels and looks at what comes: XML, with everything in it, inside its picture.
func TestSVG(t *testing.T) {
	axis := Axis{Name: "machines & more", Low: 1, High: 100, Logarithmic: true, Ticks: Ticks("", 1, 10, 100)}
	p := Panel{Title: "Time < a day", X: axis, Y: Axis{High: 8, Ticks: Ticks(" h", 0, 4, 8)}, Series: []Series{
		{Name: "one", Color: Blue, Points: []Point{{1, 8, "first"}, {100, 1, ""}}, Value: func(Point) string { return "v" }},
		{Name: "two", Color: Orange, Points: []Point{{1, 7, ""}, {1000, 1, ""}}}, // beyond the axis
	}}
	svg := string(Chart{Columns: 2, Height: 300, Panels: []Panel{p, p}}.SVG())
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for text, count := range map[string]int{"machines &amp; more": 2, "Time &lt; a day": 4, "<polyline": 4, "<circle": 8, ">first<": 2, "class=\"value\"": 4, "4 h": 2} {
		if found := strings.Count(svg, text); found != count {
			t.Errorf("found %q %d times, want %d", text, found, count)
		}
	}
}

// TestNames: names that would lie upon each other are moved apart, in their order.
func TestNames(t *testing.T) {
	d := drawing{Panel: Panel{X: Axis{High: 1}, Y: Axis{High: 1}}, width: 400, height: 300}
	for _, y := range []float64{0.5, 0.51, 0.505} {
		d.Series = append(d.Series, Series{Points: []Point{{X: 1, Y: y}}})
	}
	y := d.names()
	if !(y[1] < y[2] && y[2] < y[0]) || y[2]-y[1] < 14 || y[0]-y[2] < 14 {
		t.Errorf("found names at %v", y)
	}
	if middle := (y[0] + y[1] + y[2]) / 3; math.Abs(middle-d.y(0.505)) > 1 {
		t.Errorf("found the middle at %v, want %v", middle, d.y(0.505))
	}
}
