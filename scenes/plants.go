package scenes

import "math"

func (s *sketch) tree() {
	s.body(round(2, 43, 55, 57, 55, 60, 100, 40, 100), wood)
	lobe := func(x, y, r float64) path { return ellipse(s.some(x, 1.5), s.some(y, 1.5), r, r) }
	crown := []path{lobe(24, 46, 21), lobe(76, 46, 21), lobe(34, 24, 21), lobe(66, 24, 21), lobe(50, 50, 22)}
	for _, p := range crown {
		s.body(p, s.main)
	}
	for _, p := range crown { // over the lobes' own lines
		s.patch(p, s.main)
	}
	s.patch(ellipse(50, 36, 24, 22), s.main)
	s.stroke(arc(34, 26, 12, 12, 0.5, 0.72, 6), 1.3, s.tint)
	s.stroke(arc(66, 48, 13, 13, 0.05, 0.25, 6), 1.3, s.shade)
	s.stroke(arc(30, 48, 12, 12, 0.2, 0.42, 6), 1.3, s.shade)
	for _, at := range []point{{62, 22}, {46, 44}, {78, 38}} {
		s.patch(ellipse(at.x, at.y, 3.6, 3.6), white)
	}
}

func (s *sketch) flower() {
	s.body(round(1.5, 47, 50, 53, 50, 53, 132, 47, 132), leaf)
	up := s.some(0, 4)
	s.body(smooth(50, 118+up, 62, 98+up, 84, 92+up, 78, 110+up, 62, 119+up), leaf)
	s.body(smooth(50, 126-up, 38, 106-up, 16, 100-up, 22, 118-up, 38, 127-up), leaf)
	const petals = 6
	first := s.some(0, 0.04)
	for i := range petals {
		sin, cos := math.Sincos(2 * math.Pi * (float64(i)/petals + first))
		s.body(ellipse(50+float64(29*cos), 42+float64(29*sin), 19, 19), s.main)
	}
	for i := range petals {
		turn := float64(i)/petals + first
		s.stroke(line(68, 42, 80, 42).turn(point{50, 42}, turn), 1, s.shade)
	}
	s.pane(ellipse(50, 42, 15, 15), cream)
	s.eye(45, 40, 2.6)
	s.eye(55, 40, 2.6)
	s.stroke(arc(50, 44, 5, 5, 0.08, 0.42, 6), 0.6, ink)
}

func (s *sketch) mushroom() {
	foot := s.some(0, 2)
	s.body(smooth(38, 48, 62, 48, 64+foot, 84, 68, 97, 50, 100, 32, 97, 36-foot, 84), cream)
	s.eye(44, 74, 3)
	s.eye(56, 74, 3)
	s.stroke(arc(50, 79, 4, 4, 0.08, 0.42, 6), 0.6, ink)
	cap := append(arc(50, 50, 50, 48, 0.5, 1, 20), wave(100, 50, 97, 59, 74, 62, 50, 60, 26, 62, 3, 59, 0, 50)...)
	s.body(cap, s.main)
	s.patch(append(arc(50, 50, 46, 0, 0.5, 1, 2), wave(96, 52, 93, 56, 74, 58, 50, 56, 26, 58, 7, 56, 4, 52)...), s.shade)
	for _, d := range []struct{ x, y, r float64 }{{50, 22, 10}, {23, 34, 7.5}, {78, 35, 7.5}, {58, 43, 5}} {
		s.patch(ellipse(s.some(d.x, 2), d.y, d.r*1.1, d.r), white)
	}
}
