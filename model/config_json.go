package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxConfigBytes bounds a config.json: a label table of 9,500 answers takes 0.3 MB.
const maxConfigBytes = 8 << 20

// ReadConfig reads a Hugging Face config.json. Absent keys take their defaults, unknown
// keys go to Extra; num_hidden_layers may be the object {"language", "vision",
// "cross_encoder"} that LXMERT writes, and then fills the depths that l_layers, r_layers and
// x_layers do not give. The result is validated.
func ReadConfig(r io.Reader) (*Config, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxConfigBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxConfigBytes {
		return nil, fmt.Errorf("larger than %d bytes: this is not a config.json", maxConfigBytes)
	}
	c := DefaultConfig()
	if err := json.Unmarshal(data, c); err != nil {
		return nil, err
	}
	return c, c.Validate()
}

// UnmarshalJSON sets the fields that the object has, and keeps the rest in Extra.
func (c *Config) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var object map[string]json.RawMessage
	if err := decoder.Decode(&object); err != nil {
		return fmt.Errorf("want a JSON object: %w", err)
	}
	if object == nil {
		return errors.New("want a JSON object, found null")
	}
	if kind, ok := object["model_type"]; ok && string(kind) != `"lxmert"` {
		return fmt.Errorf(`model_type: found %s, want "lxmert"`, shorten(string(kind)))
	}
	var errs []error
	fields := reflect.ValueOf(c).Elem()
	for _, key := range slices.Sorted(maps.Keys(object)) {
		raw := object[key]
		if i, ok := configFields[key]; ok {
			if err := setField(fields.Field(i), raw); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", key, err))
			}
			continue
		}
		if key == "model_type" {
			continue
		}
		if key == "num_hidden_layers" {
			if err := c.setDepths(raw, object); err != nil {
				errs = append(errs, fmt.Errorf("num_hidden_layers: %w", err))
			}
			continue
		}
		value, err := decodeAny(raw)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
			continue
		}
		if c.Extra == nil {
			c.Extra = map[string]any{}
		}
		c.Extra[key] = value
	}
	return errors.Join(errs...)
}

// setField decodes one key; null leaves the default, as an absent key does.
func setField(field reflect.Value, raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	target := reflect.New(field.Type())
	if err := json.Unmarshal(raw, target.Interface()); err != nil {
		var mismatch *json.UnmarshalTypeError
		if errors.As(err, &mismatch) {
			return fmt.Errorf("found %s, want %s", shorten(string(raw)), kindName(field.Type()))
		}
		return err
	}
	field.Set(target.Elem())
	return nil
}

// setDepths reads num_hidden_layers, an object in files that LXMERT wrote, a number in others.
func (c *Config) setDepths(raw json.RawMessage, object map[string]json.RawMessage) error {
	if len(raw) == 0 || raw[0] != '{' {
		return nil // the reference ignores a plain number
	}
	var depths map[string]int
	if err := json.Unmarshal(raw, &depths); err != nil {
		return err
	}
	for _, d := range []struct {
		name, key string
		field     *int
	}{
		{"language", "l_layers", &c.LanguageLayers},
		{"vision", "r_layers", &c.VisionLayers},
		{"cross_encoder", "x_layers", &c.CrossLayers},
	} {
		if value, ok := depths[d.name]; ok {
			if _, given := object[d.key]; !given {
				*d.field = value
			}
		}
	}
	return nil
}

// MarshalJSON writes what LxmertConfig.save_pretrained writes: every field, model_type,
// num_hidden_layers as an object, and the keys of Extra. Keys are sorted.
func (c *Config) MarshalJSON() ([]byte, error) {
	object := maps.Clone(c.Extra)
	if object == nil {
		object = map[string]any{}
	}
	fields := reflect.ValueOf(c).Elem()
	for key, i := range configFields {
		field := fields.Field(i)
		if strings.Contains(fields.Type().Field(i).Tag.Get("json"), "omitempty") && field.IsZero() {
			continue
		}
		object[key] = field.Interface()
	}
	if c.ID2Label != nil {
		labels := make(map[string]string, len(c.ID2Label))
		for id, label := range c.ID2Label {
			labels[strconv.Itoa(id)] = label
		}
		object["id2label"] = labels
	}
	object["model_type"] = "lxmert"
	object["num_hidden_layers"] = map[string]int{
		"language": c.LanguageLayers, "vision": c.VisionLayers, "cross_encoder": c.CrossLayers,
	}
	return json.Marshal(object)
}

// WriteTo writes the configuration as an indented config.json.
func (c *Config) WriteTo(w io.Writer) (int64, error) {
	compact, err := c.MarshalJSON()
	if err != nil {
		return 0, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, compact, "", "  "); err != nil {
		return 0, err
	}
	indented.WriteByte('\n')
	return indented.WriteTo(w)
}

// Set overrides one key by its JSON name with a value in JSON notation; a bare word is a
// string. Unknown keys are refused: a misspelt override must not pass unnoticed.
// It does not validate.
func (c *Config) Set(key, value string) error {
	i, ok := configFields[key]
	if !ok {
		return fmt.Errorf("no config key %q; known keys: %s", key, strings.Join(slices.Sorted(maps.Keys(configFields)), " "))
	}
	field := reflect.ValueOf(c).Elem().Field(i)
	raw := json.RawMessage(strings.TrimSpace(value))
	if field.Kind() == reflect.String && !json.Valid(raw) {
		raw, _ = json.Marshal(value)
	}
	if !json.Valid(raw) || string(raw) == "null" {
		return fmt.Errorf("%s: found %s, want %s", key, shorten(value), kindName(field.Type()))
	}
	if err := setField(field, raw); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// Clone is a deep copy.
func (c *Config) Clone() *Config {
	clone := *c
	clone.ID2Label = maps.Clone(c.ID2Label)
	clone.Extra = maps.Clone(c.Extra)
	return &clone
}

// configFields maps a JSON key to its field's index in Config.
var configFields = func() map[string]int {
	fields := map[string]int{}
	for i := range reflect.TypeFor[Config]().NumField() {
		key, _, _ := strings.Cut(reflect.TypeFor[Config]().Field(i).Tag.Get("json"), ",")
		if key != "" && key != "-" {
			fields[key] = i
		}
	}
	return fields
}()

// decodeAny keeps numbers as they were written.
func decodeAny(raw json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	err := decoder.Decode(&value)
	return value, err
}

// kindName says in words what a key wants.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	default:
		return `an object {"0": "label", ...}`
	}
}

// shorten keeps an error line readable when the value is large.
func shorten(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
