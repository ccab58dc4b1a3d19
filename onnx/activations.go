package onnx

import "math"

// activate applies hidden_act.
func (e *exporter) activate(x string) string { return activations[e.HiddenAct](e, x) }

// exactGELU tells the names of hidden_act that mean it.
func exactGELU(name string) bool { return name == "gelu" || name == "gelu_python" }

// activations maps a name of hidden_act to the function, as its twin in package model does.
var activations = map[string]func(e *exporter, x string) string{
	"gelu":              (*exporter).gelu,
	"gelu_python":       (*exporter).gelu,
	"gelu_new":          (*exporter).geluTanh,
	"gelu_accurate":     (*exporter).geluTanh,
	"gelu_pytorch_tanh": (*exporter).geluTanh,
	"gelu_fast":         (*exporter).geluTanh,
	"gelu_10":           func(e *exporter, x string) string { return e.clip(e.gelu(x), "minus_10", -10, "plus_10", 10) },
	"hardswish":         func(e *exporter, x string) string { return e.op("HardSwish", x) },
	"laplace":           (*exporter).laplace,
	"leaky_relu": func(e *exporter, x string) string {
		return e.node("", "LeakyRelu", []string{x}, attribute{"alpha", float32(0.01)})
	},
	"linear": func(_ *exporter, x string) string { return x },
	"mish":   func(e *exporter, x string) string { return e.op("Mul", x, e.op("Tanh", e.op("Softplus", x))) },
	"quick_gelu": func(e *exporter, x string) string {
		return e.op("Mul", x, e.op("Sigmoid", e.op("Mul", x, e.floats("quick", 1.702))))
	},
	"relu": func(e *exporter, x string) string { return e.op("Relu", x) },
	"relu2": func(e *exporter, x string) string {
		x = e.op("Relu", x)
		return e.op("Mul", x, x)
	},
	"relu6":   func(e *exporter, x string) string { return e.clip(x, "low", 0, "six", 6) },
	"sigmoid": func(e *exporter, x string) string { return e.op("Sigmoid", x) },
	"silu":    (*exporter).silu,
	"swish":   (*exporter).silu,
	"tanh":    func(e *exporter, x string) string { return e.op("Tanh", x) },
}

// gelu is x·½(1 + erf(x/√2)), in the order of operators that ONNX Runtime fuses.
func (e *exporter) gelu(x string) string {
	erf := e.op("Erf", e.op("Div", x, e.floats("root_2", math.Sqrt2)))
	return e.op("Mul", e.op("Mul", x, e.op("Add", erf, e.floats("one", 1))), e.floats("half", 0.5))
}

// geluTanh is ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
func (e *exporter) geluTanh(x string) string {
	cubed := e.op("Mul", e.op("Mul", e.op("Mul", x, x), x), e.floats("cubic", 0.044715))
	inner := e.op("Mul", e.op("Add", x, cubed), e.floats("root_2_pi", float32(math.Sqrt(2/math.Pi))))
	return e.op("Mul", e.op("Mul", x, e.floats("half", 0.5)), e.op("Add", e.op("Tanh", inner), e.floats("one", 1)))
}

// laplace is ½(1 + erf((x-μ)/(σ√2))).
func (e *exporter) laplace(x string) string {
	const mu, sigma = 0.707107, 0.282095
	scaled := e.op("Div", e.op("Sub", x, e.floats("laplace_mu", mu)), e.floats("laplace_sigma", sigma*math.Sqrt2))
	return e.op("Mul", e.op("Add", e.op("Erf", scaled), e.floats("one", 1)), e.floats("half", 0.5))
}

func (e *exporter) silu(x string) string { return e.op("Mul", x, e.op("Sigmoid", x)) }

func (e *exporter) clip(x, lowName string, low float32, highName string, high float32) string {
	return e.op("Clip", x, e.floats(lowName, low), e.floats(highName, high))
}
