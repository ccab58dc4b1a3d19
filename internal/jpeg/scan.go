package jpeg

// A scan is one passage through blocks.
type scan struct {
	reader
	components []*component
	first      int // the band of coefficients, in zigzag order
	last       int
	high, low  uint // successive approximation: the bit positions before and now
	run        int  // blocks that are yet to come without a new coefficient
}

// scan reads a scan header, section B.2.3, and the scan.
func (d *decoder) scan(body []byte) error {
	if d.components == nil {
		return damage("a scan before the frame header")
	}
	if d.scans++; d.scans > maxScans {
		return damage("more than %d scans", maxScans)
	}
	if len(body) < 1 || body[0] < 1 || int(body[0]) > len(d.components) || len(body) != 4+2*int(body[0]) {
		return damage("a scan header of %d bytes does not fit the %d components", len(body), len(d.components))
	}
	s := scan{reader: reader{data: d.data, at: d.at}}
	n := int(body[0])
	for i := range n {
		c := d.component(body[1+2*i])
		if c == nil {
			return damage("a scan of component %d, which is not in the frame header", body[1+2*i])
		}
		for _, other := range s.components {
			if other == c {
				return damage("a scan has component %d twice", c.id)
			}
		}
		tables := body[2+2*i]
		if tables>>4 > 3 || tables&15 > 3 {
			return damage("Huffman tables %d and %d, want 0 to 3", tables>>4, tables&15)
		}
		c.dc, c.ac = d.dc[tables>>4], d.ac[tables&15]
		s.components = append(s.components, c)
	}
	s.first, s.last, s.high, s.low = int(body[1+2*n]), int(body[2+2*n]), uint(body[3+2*n]>>4), uint(body[3+2*n]&15)
	if !d.progressive {
		s.first, s.last, s.high, s.low = 0, 63, 0, 0
	}
	if err := d.prepare(&s); err != nil {
		return err
	}
	err := d.blocks(&s)
	d.at = s.at
	return err
}

func (d *decoder) component(id uint8) *component {
	for i := range d.components {
		if d.components[i].id == id {
			return &d.components[i]
		}
	}
	return nil
}

// prepare checks that a scan has what it needs, and takes memory for its components.
func (d *decoder) prepare(s *scan) error {
	if s.last > 63 || s.first > s.last || s.first == 0 && s.last != 0 && d.progressive || s.low > 13 || s.high != 0 && s.high != s.low+1 {
		return damage("a scan of coefficients %d to %d, bits %d to %d", s.first, s.last, s.high, s.low)
	}
	if s.first > 0 && len(s.components) > 1 {
		return damage("a scan of AC coefficients has %d components, want one", len(s.components))
	}
	for _, c := range s.components {
		if s.first == 0 && s.high == 0 && c.dc == nil || s.last > 0 && c.ac == nil {
			return damage("component %d has no Huffman table", c.id)
		}
		if !c.scanned {
			if c.quant = d.quant[c.table]; c.quant == nil {
				return damage("component %d has no quantization table", c.id)
			}
			if d.progressive {
				c.coefficients = make([]int16, 64*c.across*c.down)
			} else {
				c.samples = make([]uint8, 64*c.across*c.down)
			}
			c.scanned = true
		} else if !d.progressive {
			return damage("two scans of component %d", c.id)
		}
		if d.visited += c.across * c.down; d.visited > maxBlocks {
			return damage("its scans go through more than %d million blocks", maxBlocks>>20)
		}
	}
	return nil
}

// blocks decodes the blocks of a scan: of one component row by row, of several MCU by MCU, section A.2.
func (d *decoder) blocks(s *scan) error {
	alone := s.components[0]
	mcusX, mcusY := alone.blocksX, alone.blocksY
	if len(s.components) > 1 {
		mcusX, mcusY = ceil(d.width, 8*d.maxH), ceil(d.height, 8*d.maxV)
	}
	s.reset()
	left, restart := d.interval, uint8(0)
	for y := range mcusY {
		for x := range mcusX {
			if d.interval > 0 {
				if left == 0 {
					if err := s.restart(rst0 + restart); err != nil {
						return err
					}
					left, restart = d.interval, (restart+1)%8
				}
				left--
			}
			if len(s.components) == 1 {
				if err := d.block(s, alone, x, y); err != nil {
					return err
				}
				continue
			}
			for _, c := range s.components {
				for v := range c.v {
					for h := range c.h {
						if err := d.block(s, c, x*c.h+h, y*c.v+v); err != nil {
							return err
						}
					}
				}
			}
		}
	}
	return nil
}

// reset forgets what the blocks before were.
func (s *scan) reset() {
	s.run = 0
	for _, c := range s.components {
		c.prediction = 0
	}
}

// restart finds that marker, section E.2.4.
func (s *scan) restart(marker uint8) error {
	s.acc, s.n, s.pad = 0, 0, 0
	for s.at+1 < len(s.data) && (s.data[s.at] != 0xff || s.data[s.at+1] == 0 || s.data[s.at+1] == 0xff) {
		s.at++
	}
	if s.at+1 < len(s.data) && s.data[s.at+1] != marker {
		return damage("found marker %#x, want the restart marker %#x", s.data[s.at+1], marker)
	}
	s.at += 2 // after the end, the next block says so
	s.at = min(s.at, len(s.data))
	s.reset()
	return nil
}

// block decodes one.
func (d *decoder) block(s *scan, c *component, x, y int) error {
	var err error
	if !d.progressive {
		var block [64]int16
		if err = s.sequential(c, &block); err == nil {
			transform(c.samples[8*y*c.stride()+8*x:], c.stride(), &block, c.quant)
		}
	} else {
		block := (*[64]int16)(c.coefficients[64*(y*c.across+x):])
		switch {
		case s.first == 0 && s.high == 0:
			err = s.firstDC(c, block)
		case s.first == 0:
			block[0] |= int16(s.take(1) << s.low)
		case s.high == 0:
			err = s.firstAC(c, block)
		default:
			err = s.refineAC(c, block)
		}
	}
	if err == nil {
		err = s.check()
	}
	return err
}

func noCode(s *scan) error {
	if err := s.check(); err != nil {
		return err
	}
	return damage("a Huffman code that is not in the table, or too many coefficients")
}

// sequential decodes all coefficients of a block, section F.2.2.
func (s *scan) sequential(c *component, block *[64]int16) error {
	size := s.symbol(c.dc)
	if size > 16 {
		return noCode(s)
	}
	c.prediction += s.extend(size)
	block[0] = int16(c.prediction)
	for k := 1; k < 64; k++ {
		code := s.symbol(c.ac)
		run, size := code>>4, code&15
		if size == 0 {
			if run < 15 {
				return nil
			}
			if code == noSymbol {
				return noCode(s)
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return noCode(s)
		}
		block[natural[k]] = int16(s.extend(size))
	}
	return nil
}

// firstDC decodes the high bits of a DC coefficient, section G.1.2.1.
func (s *scan) firstDC(c *component, block *[64]int16) error {
	size := s.symbol(c.dc)
	if size > 16 {
		return noCode(s)
	}
	c.prediction += s.extend(size)
	block[0] = int16(c.prediction << s.low)
	return nil
}

// firstAC decodes the high bits of a band of AC coefficients, section G.1.2.2.
func (s *scan) firstAC(c *component, block *[64]int16) error {
	if s.run > 0 {
		s.run--
		return nil
	}
	for k := s.first; k <= s.last; k++ {
		code := s.symbol(c.ac)
		run, size := code>>4, code&15
		if code == noSymbol {
			return noCode(s)
		}
		if size == 0 {
			if run < 15 {
				s.run = 1<<run + s.take(run) - 1
				return nil
			}
			k += 15
			continue
		}
		if k += run; k > s.last {
			return noCode(s)
		}
		block[natural[k]] = int16(s.extend(size) << s.low)
	}
	return nil
}

// refineAC decodes one more bit of a band of AC coefficients, section G.1.2.3.
func (s *scan) refineAC(c *component, block *[64]int16) error {
	k := s.first
	if s.run == 0 {
		for ; k <= s.last; k++ {
			code := s.symbol(c.ac)
			run, size := code>>4, code&15
			if size > 1 || code == noSymbol {
				return noCode(s)
			}
			value := int16(0)
			if size == 1 {
				value = -1 << s.low
				if s.take(1) == 1 {
					value = 1 << s.low
				}
			} else if run < 15 {
				s.run = 1<<run + s.take(run)
				break
			}
			k = s.refine(block, k, run)
			if value != 0 {
				if k > s.last {
					return noCode(s)
				}
				block[natural[k]] = value
			}
		}
	}
	if s.run > 0 {
		s.refine(block, k, 64)
		s.run--
	}
	return nil
}

// refine adds a bit to the coefficients that are not 0, from k on, and stops at the zero after so many others: it returns where that is, or the band's end.
func (s *scan) refine(block *[64]int16, k, zeros int) int {
	one := int16(1) << s.low
	for ; k <= s.last; k++ {
		p := &block[natural[k]]
		if *p == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if s.take(1) == 1 && *p&one == 0 {
			if *p > 0 {
				*p += one
			} else {
				*p -= one
			}
		}
	}
	return k
}
