package scenes

func (s *sketch) house() {
	left := s.some(71, 2)
	s.body(rectangle(left, 4, left+11, 34, 1), s.shade)
	s.body(rectangle(9, 40, 91, 100, 2), s.main)
	s.body(round(4, 50, 0, 102, 46, -2, 46), s.shade)
	s.pane(ellipse(50, 27, 7, 7), glass)
	s.pane(rectangle(17, 55, 38, 75, 1), glass)
	s.stroke(line(27.5, 55, 27.5, 75), 0.6, ink)
	s.stroke(line(17, 65, 38, 65), 0.6, ink)
	door := append(arc(66, 66, 11, 11, 0.5, 1, 10), line(77, 98, 55, 98)...)
	s.pane(door, white)
	s.patch(ellipse(72, 82, 2.2, 2.2), ink)
	s.patch(rectangle(15, 83, 40, 87, 1), s.tint)
}

func (s *sketch) cup() {
	low := s.some(0, 3)
	s.ring(ellipse(76, 44, 26, 27), ellipse(76, 44, 13, 14), s.main)
	s.body(round(9, 0, 4, 80, 4, 76-low, 98, 4+low, 98), s.main)
	s.patch(line(1.5, 38, 78.5, 38, 77.5, 56, 2.5, 56), white)
	for _, x := range []float64{16, 40, 64} {
		s.patch(ellipse(x, 47, 5.5, 5.5), s.shade)
	}
	s.stroke(line(12, 66, 13+low/2, 84), 1.4, s.tint)
	s.body(ellipse(40, 6, 40, 9), cream)
	s.pane(ellipse(40, 7, 32, 5.5), wood)
}

func (s *sketch) hat() {
	tip := s.some(0, 3)
	s.body(smooth(0, 56, 12, 50, 50, 47, 88, 50, 100, 56, 84, 65, 50, 68, 16, 65), s.main)
	crown := append(wave(22, 56, 24, 30, 30+tip, 6, 42, 1, 50, 4, 58, 1, 70+tip, 6, 76, 30, 78, 56), wave(78, 56, 50, 62, 22, 56)...)
	s.body(crown, s.main)
	s.patch(append(wave(23, 44, 50, 50, 77, 44), wave(78, 56, 50, 62, 22, 56)...), white)
	s.stroke(wave(23, 44, 50, 50, 77, 44), 0.7, ink)
	s.stroke(wave(22, 56, 50, 62, 78, 56), 0.7, ink)
	s.stroke(wave(36, 12, 33, 24, 32, 34), 1.4, s.tint)
	s.stroke(wave(50, 5, 51, 10, 50, 16), 0.8, s.shade)
}
