package onnx

// WithLimit lets a test meet the limit of protocol-buffers messages with a small model.
func (o Options) WithLimit(bytes int64) Options {
	o.limit = bytes
	return o
}

// ActivationNames are the names of hidden_act that can be written.
func ActivationNames() map[string]bool {
	names := map[string]bool{}
	for name := range activations {
		names[name] = true
	}
	return names
}
