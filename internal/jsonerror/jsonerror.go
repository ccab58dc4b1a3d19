// Package jsonerror says what encoding/json found wrong in the words of the file, not of Go's types.
package jsonerror

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Explain rewrites a type error as "FIELD: found KIND, want KIND"; other errors stay as they are.
func Explain(err error) error {
	var mismatch *json.UnmarshalTypeError
	if !errors.As(err, &mismatch) {
		return err
	}
	text := fmt.Sprintf("found %s, want %s", found(mismatch.Value), wanted(mismatch.Type))
	if mismatch.Field != "" {
		text = mismatch.Field + ": " + text
	}
	return errors.New(text)
}

// found is json's word for what was there, with its article.
func found(value string) string {
	switch value {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	default:
		return value // a number, with its digits where they matter
	}
}

func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number"
	}
}
