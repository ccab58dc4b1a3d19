// Package fits has the polynomials that stand for functions, the coefficient of the smallest power first. They are least-maximum fits in
// float64 arithmetic of more than 40 digits, rounded to float32; the relative error of each fit, before rounding, is below 2^-27.6.
package fits

import "math"

// Exp is q in e^r = 1 + r + r²·q(r), for |r| ≤ ln 2 / 2.
var Exp = []float64{0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.008368737064301968, 0.0013814547564834356}

// ln 2 in two parts, of which the first has so few bits that products of it with whole numbers are exact.
const (
	Ln2High = 0.693359375
	Ln2Low  = math.Ln2 - Ln2High
)

// Tanh is q in tanh x = x + x³·q(x²), for |x| up to TanhNear.
var Tanh = []float64{-0.33333277702331543, 0.13331331312656403, -0.05373002216219902, 0.020606214180588722, -0.005667013581842184}

const TanhNear = 0.625

// ErfNear is q in erf x = x + x·q(x²), for |x| up to 1; ErfFar is that in erf x = 1 - exp(x·q(x)) beyond, up to 4, where erf is 1.
var (
	ErfNear = []float64{0.12837916612625122, -0.3761262595653534, 0.1128358542919159, -0.02685382030904293,
		0.005188341718167067, -0.0008010305464267731, 7.854203431634232e-05}
	ErfFar = []float64{-1.1284855604171753, -0.6358137130737305, -0.10513868182897568, 0.02281242609024048,
		-0.0031911684200167656, 0.00021114129049237818}
)
