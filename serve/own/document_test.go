package own

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestDocument holds the document to itself: every reference leads somewhere, every route of this package is described.
func TestDocument(t *testing.T) {
	doc := theDocument(t)
	var walk func(v any, where string)
	walk = func(v any, where string) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && resolve(doc, ref) == nil {
				t.Errorf("%s: %s leads nowhere", where, ref)
			}
			for key, inner := range v {
				walk(inner, where+"/"+key)
			}
		case []any:
			for i, inner := range v {
				walk(inner, fmt.Sprintf("%s/%d", where, i))
			}
		}
	}
	walk(doc, "")
	for path, known := range fields {
		schema := at(t, doc, "paths", path, "post", "requestBody", "content", "application/json", "schema")
		described := resolve(doc, schema.(map[string]any)["$ref"].(string))["properties"].(map[string]any)
		for _, name := range known {
			if _, ok := described[name]; !ok && !(path == "/v1/embeddings" && strings.HasPrefix(name, "question")) { // other names for texts
				t.Errorf("%s: field %s is not described", path, name)
			}
		}
		for name := range described {
			if !slices.Contains(known, name) {
				t.Errorf("%s: field %s is described, but not known", path, name)
			}
		}
	}
}

func theDocument(t testing.TB) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// resolve follows a reference within the document; nil if it leads nowhere.
func resolve(doc map[string]any, ref string) map[string]any {
	v := any(doc)
	for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[step]
	}
	m, _ := v.(map[string]any)
	return m
}

// described checks an answer against the document.
func described(t testing.TB, r *http.Request, code int, out any) {
	t.Helper()
	doc := theDocument(t)
	answer, ok := at(t, doc, "paths", r.URL.Path, strings.ToLower(r.Method), "responses").(map[string]any)[fmt.Sprint(code)].(map[string]any)
	if !ok {
		t.Errorf("%s: status %d is not described", r.URL.Path, code)
		return
	}
	if ref, ok := answer["$ref"].(string); ok {
		answer = resolve(doc, ref)
	}
	if err := fits(doc, at(t, answer, "content", "application/json", "schema").(map[string]any), out); err != nil {
		t.Errorf("%s %d: %v", r.URL.Path, code, err)
	}
}

// fits checks a value against as much of JSON Schema as the document uses; fields that are not described are an error.
func fits(doc, schema map[string]any, v any) error {
	if ref, ok := schema["$ref"].(string); ok {
		schema = resolve(doc, ref)
	}
	for _, choice := range []string{"anyOf", "oneOf"} {
		if list, ok := schema[choice].([]any); ok {
			var err error
			for _, one := range list {
				if err = fits(doc, one.(map[string]any), v); err == nil {
					return nil
				}
			}
			return err
		}
	}
	if list, ok := schema["enum"].([]any); ok && !slices.Contains(list, v) {
		return fmt.Errorf("found %v, want one of %v", v, list)
	}
	good := false
	switch schema["type"] {
	case "object":
		var object map[string]any
		if object, good = v.(map[string]any); good {
			properties, _ := schema["properties"].(map[string]any)
			required, _ := schema["required"].([]any)
			for _, name := range required {
				if _, ok := object[name.(string)]; !ok {
					return fmt.Errorf("%v: missing", name)
				}
			}
			for name, inner := range object {
				of, ok := properties[name].(map[string]any)
				if !ok {
					return fmt.Errorf("%s: not described", name)
				}
				if err := fits(doc, of, inner); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	case "array":
		var list []any
		if list, good = v.([]any); good {
			for i, inner := range list {
				if err := fits(doc, schema["items"].(map[string]any), inner); err != nil {
					return fmt.Errorf("%d: %w", i, err)
				}
			}
		}
	case "string":
		_, good = v.(string)
	case "number":
		_, good = v.(float64)
	case "integer":
		n, isNumber := v.(float64)
		good = isNumber && n == float64(int64(n))
	case "boolean":
		_, good = v.(bool)
	case "null":
		good = v == nil
	}
	if !good {
		return fmt.Errorf("found %.60v, want %v", v, schema["type"])
	}
	return nil
}
