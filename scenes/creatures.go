package scenes

func (s *sketch) fish() {
	fat := s.some(0, 2)
	s.body(smooth(24, 30, 8, 6, 1, 4, 6, 30, 1, 56, 8, 54), s.main)
	s.body(smooth(40, 12-fat, 52, -6-fat, 68, -2-fat, 72, 10-fat, 56, 16), s.shade)
	s.body(smooth(52, 48, 48, 62+fat, 60, 64+fat, 70, 50), s.shade)
	body := smooth(18, 30, 34, 12-fat/2, 60, 4-fat, 86, 12-fat/2, 100, 30, 86, 48+fat/2, 60, 56+fat, 34, 48+fat/2)
	s.body(body, s.main)
	s.patch(smooth(38, 12, 45, 9, 44, 30, 46, 50, 38, 48, 36, 30), white)
	s.patch(smooth(53, 8, 60, 7, 58, 30, 60, 53, 53, 52, 51, 30), white)
	s.stroke(arc(62, 30, 12, 17, -0.17, 0.17, 8), 0.8, ink)
	s.pane(ellipse(85, 23, 6.5, 6.5), white)
	s.patch(ellipse(86.5, 23.5, 3.2, 3.2), ink)
	s.stroke(arc(93, 33, 6, 5, 0.12, 0.4, 6), 0.8, ink)
}
