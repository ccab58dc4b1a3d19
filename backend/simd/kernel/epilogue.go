package kernel

// An Activation is the function that an [Epilogue] ends with.
type Activation int

const (
	Identity Activation = iota
	ReLU                // max(x, 0)
	GELU                // x/2 (1 + erf(x/√2))
	GELUTanh            // x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
	Tanh                // tanh x

	activations = iota
)

// An Epilogue is what happens to a product while its tiles are still in the cache:
// activation(scale · product + bias + residual).
type Epilogue struct {
	Round      bool      // the product to bfloat16 first
	Scale      float32   // 0 stands for 1
	Bias       []float32 // [n], or nil
	Residual   []float32 // [m, n], or nil; it must not overlap c
	LDResidual int       // from one row of Residual to the next
	Activation Activation
}

// check panics unless the epilogue fits a product of [m, n].
func (e *Epilogue) check(m, n int) {
	if e.Bias != nil {
		need("Mul", "bias", e.Bias, 1, n, n)
	}
	if e.Residual != nil {
		need("Mul", "residual", e.Residual, m, n, e.LDResidual)
	}
	if e.Activation < 0 || e.Activation >= activations {
		panic("kernel.Mul: no such activation")
	}
}

// nothing reports whether the product is to stay as it is.
func (e *Epilogue) nothing() bool {
	return !e.Round && (e.Scale == 0 || e.Scale == 1) && e.Bias == nil && e.Residual == nil && e.Activation == Identity
}

// apply finishes a tile of c, whose first element is at row, column of the product.
func (e *Epilogue) apply(s *Set, c []float32, ldc, row, column, rows, columns int) {
	if e.nothing() {
		return
	}
	if e.Round {
		s.nearestRows(c, ldc, rows, columns)
	}
	scale := e.Scale
	if scale == 0 {
		scale = 1
	}
	bias, residual := e.Bias, e.Residual
	if bias != nil {
		bias = bias[column:]
	}
	if residual != nil {
		residual = residual[row*e.LDResidual+column:]
	}
	s.finish[e.Activation](c, ldc, rows, columns, bias, residual, e.LDResidual, scale)
}
