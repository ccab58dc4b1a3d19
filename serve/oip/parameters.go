package oip

import (
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
)

// parameters of a request, an input or an output: bool, int64, float64 or string by name.
type parameters map[string]any

// ignored are parameters of requests that clients send of their own accord, and that change no answer here: no request goes before another, and contents are
// as the inputs say. binary_data_output is for the door through which the request comes.
var ignored = []string{"binary_data_output", "content_type", "priority"}

// check refuses parameters that nobody would look at: a misspelt one must not pass unnoticed.
func (p parameters) check(known []string) error {
	for name := range p {
		if !slices.Contains(known, name) && !slices.Contains(ignored, name) {
			return service.Invalidf("parameters: there is no %.80q here, only %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// integer is a parameter that is a whole number of least or more, or what it is where it is absent.
func (p parameters) integer(name string, absent, least int64) (int64, error) {
	value, ok := p[name]
	if !ok {
		return absent, nil
	}
	n, ok := value.(int64)
	if !ok || n < least {
		return 0, service.Invalidf("parameters: %s: found %v, want a whole number, %d or more", name, value, least)
	}
	return n, nil
}

// flag is a parameter that is true or false, or what it is where it is absent.
func (p parameters) flag(name string, absent bool) (bool, error) {
	value, ok := p[name]
	if !ok {
		return absent, nil
	}
	on, ok := value.(bool)
	if !ok {
		return false, service.Invalidf("parameters: %s: found %v, want true or false", name, value)
	}
	return on, nil
}
