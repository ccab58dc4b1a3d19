package explain

import "fmt"

// state is how far each token and each region has taken part in each other so far: the four matrices of relevance of Chefer, Gur and Wolf
// (2021, §3.1). In a row is what the row's token or region draws on.
type state struct {
	tt matrix // [tokens, tokens]
	ti matrix // [tokens, regions]
	it matrix // [regions, tokens]
	ii matrix // [regions, regions]
}

// begin is the state before the first layer: everything is itself.
func begin(tokens, regions int) state {
	return state{identity(tokens), newMatrix(tokens, regions), newMatrix(regions, tokens), identity(regions)}
}

// selfAttention is rules 6 and 7: what an attention c of a stream to itself adds to its row of matrices, to R_ss and R_sq.
func selfAttention(c, ss, sq matrix) (addSS, addSQ matrix) { return c.times(ss), c.times(sq) }

// language lets the tokens look at each other.
func (s *state) language(c matrix) {
	tt, ti := selfAttention(c, s.tt, s.ti)
	s.tt, s.ti = s.tt.plus(tt), s.ti.plus(ti)
}

// vision lets the regions look at each other.
func (s *state) vision(c matrix) {
	ii, it := selfAttention(c, s.ii, s.it)
	s.ii, s.it = s.ii.plus(ii), s.it.plus(it)
}

// residual is rules 8 and 9: what a stream has mixed within itself, each row's as shares of 1, and itself.
func residual(r matrix) matrix {
	one := identity(r.rows)
	return r.minus(one).normalised().plus(one)
}

// A crossing is how an attention of one stream to the other is counted.
type crossing func(c, ss, qq matrix) (sq matrix)

// The forms of rule 10.
var (
	// normalised is the rule of the paper: R_ssᵀ·c·R_qq of the normalised matrices.
	normalised crossing = func(c, ss, qq matrix) matrix { return residual(ss).transposed().times(c.times(residual(qq))) }
	// unnormalised leaves out rules 8 and 9.
	unnormalised crossing = func(c, ss, qq matrix) matrix { return ss.transposed().times(c.times(qq)) }
	// withoutSelf counts the attention alone.
	withoutSelf crossing = func(c, ss, qq matrix) matrix { return c }
)

// crossAttention is rules 10 and 11: what an attention c of stream s to stream q adds to R_sq and R_ss.
func crossAttention(rule crossing, c, ss, qs, qq matrix) (addSQ, addSS matrix) {
	return rule(c, ss, qq), c.times(qs)
}

// cross lets the streams look at each other: both at what the other was before.
func (s *state) cross(rule crossing, tokensLook, regionsLook matrix) {
	ti, tt := crossAttention(rule, tokensLook, s.tt, s.it, s.ii)
	it, ii := crossAttention(rule, regionsLook, s.ii, s.ti, s.tt)
	s.ti, s.tt, s.it, s.ii = s.ti.plus(ti), s.tt.plus(tt), s.it.plus(it), s.ii.plus(ii)
}

// crossLast lets the tokens look at the regions: what the regions see in the last layer cannot reach the answer.
func (s *state) crossLast(rule crossing, tokensLook matrix) {
	ti, tt := crossAttention(rule, tokensLook, s.tt, s.it, s.ii)
	s.ti, s.tt = s.ti.plus(ti), s.tt.plus(tt)
}

// relevance goes through the network in the order of its layers. See, if it is not nil, sees the state after the language layers, the object-relationship
// layers and each cross-modality layer.
func (n *network) relevance(rule crossing, see func(after string, s state)) state {
	if see == nil {
		see = func(string, state) {}
	}
	s := begin(n.tokens, n.regions)
	for _, a := range n.language {
		s.language(a.cam())
	}
	see("language", s)
	for _, a := range n.region {
		s.vision(a.cam())
	}
	see("vision", s)
	for i, x := range n.cross {
		if i == len(n.cross)-1 {
			s.crossLast(rule, x.language.cam())
			s.language(x.selfLanguage.cam())
		} else {
			s.cross(rule, x.language.cam(), x.region.cam())
			s.language(x.selfLanguage.cam())
			s.vision(x.selfRegion.cam())
		}
		see(fmt.Sprintf("x%d", i), s)
	}
	return s
}
