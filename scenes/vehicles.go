package scenes

func (s *sketch) car() {
	roof := s.some(0, 3)
	for _, x := range []float64{24, 78} {
		s.body(ellipse(x, 50, 11, 11), steel)
	}
	s.body(round(7, 1, 48, 2, 27, 20, 24, 31+roof, 2, 66+roof, 2, 79, 23, 97, 28, 100, 48), s.main)
	s.pane(round(3, 27, 24, 35+roof, 8, 48, 8, 48, 24), glass)
	s.pane(round(3, 53, 8, 63+roof, 8, 72, 24, 53, 24), glass)
	s.patch(rectangle(8, 37, 94, 41, 2), s.shade)
	s.patch(ellipse(93, 33, 4, 3.5), cream)
	s.stroke(line(56, 30, 62, 30), 0.6, ink)
	for _, x := range []float64{24, 78} {
		s.pane(ellipse(x, 50, 11, 11), steel)
		s.patch(ellipse(x, 50, 5, 5), white)
	}
}

func (s *sketch) boat() {
	mast := s.some(48, 4)
	s.body(rectangle(mast-1.5, 0, mast+1.5, 76, 1), wood)
	s.body(round(3, mast+3, 8, 92, 62, mast+3, 62), s.main)
	s.patch(round(1, mast+7, 36, mast+24, 36, mast+33, 46, mast+7, 46), white)
	s.body(round(3, mast-3, 16, mast-3, 62, 14, 62), white)
	s.body(round(4, 0, 72, 100, 72, 84, 98, 18, 98), s.main)
	s.patch(round(1, 6, 77, 94, 77, 91, 82, 9, 82), s.shade)
	for _, x := range []float64{32, 50, 68} {
		s.patch(ellipse(x, 89, 3.6, 3.6), white)
	}
}
