package checkpoint

import "errors"

const KerasName = "tf_model.h5"

func WriteKeras(path string, tensors []Tensor) error { return errors.New("not yet") }
