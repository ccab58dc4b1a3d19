package inference

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// TestProto compares the generated code with the proto file beside it.
func TestProto(t *testing.T) {
	text, err := os.ReadFile("open_inference_grpc.proto")
	if err != nil {
		t.Fatal(err)
	}
	written, generated := fromText(t, string(text)), fromDescriptor(File_open_inference_grpc_proto)
	slices.Sort(written)
	slices.Sort(generated)
	if len(written) < 50 {
		t.Fatalf("only %d lines were read", len(written))
	}
	for _, line := range written {
		if !slices.Contains(generated, line) {
			t.Errorf("the generated code lacks %s: generate it anew, see README.md", line)
		}
	}
	for _, line := range generated {
		if !slices.Contains(written, line) {
			t.Errorf("the proto file lacks %s", line)
		}
	}
}

var (
	comment = regexp.MustCompile(`//.*`)
	opened  = regexp.MustCompile(`^(message|service|oneof) (\w+) \{(\})?$`)
	field   = regexp.MustCompile(`^(repeated |)(map<\w+, \w+>|\w+) (\w+) = (\d+);$`)
	method  = regexp.MustCompile(`^rpc (\w+)\((\w+)\) returns \((\w+)\) \{\}$`)
)

// fromText is a line for each field and method of a proto file, as this one is written.
func fromText(t *testing.T, text string) (lines []string) {
	var in []string // the messages that are open
	for _, line := range strings.Split(comment.ReplaceAllString(text, ""), "\n") {
		line = strings.TrimSpace(line)
		if m := opened.FindStringSubmatch(line); m != nil {
			if m[3] == "" {
				in = append(in, m[2])
			}
		} else if m := field.FindStringSubmatch(line); m != nil {
			path := slices.DeleteFunc(slices.Clone(in), func(name string) bool { return name == "parameter_choice" })
			lines = append(lines, fmt.Sprintf("%s: %s%s %s = %s", strings.Join(path, "."), m[1], m[2], m[3], m[4]))
		} else if m := method.FindStringSubmatch(line); m != nil {
			lines = append(lines, fmt.Sprintf("%s: %s(%s) %s", in[0], m[1], m[2], m[3]))
		} else if line == "}" {
			in = in[:len(in)-1]
		} else if line != "" && !strings.HasPrefix(line, "syntax") && !strings.HasPrefix(line, "package inference;") && !strings.HasPrefix(line, "option go_package") {
			t.Errorf("a line that this test does not understand: %s", line)
		}
	}
	return lines
}

// fromDescriptor is the same of the generated code.
func fromDescriptor(file protoreflect.FileDescriptor) (lines []string) {
	var messages func(list protoreflect.MessageDescriptors)
	kind := func(f protoreflect.FieldDescriptor) string {
		if m := f.Message(); m != nil {
			return string(m.Name())
		}
		return f.Kind().String()
	}
	messages = func(list protoreflect.MessageDescriptors) {
		for i := range list.Len() {
			m := list.Get(i)
			if m.IsMapEntry() {
				continue
			}
			for j := range m.Fields().Len() {
				f := m.Fields().Get(j)
				of := kind(f)
				if f.IsMap() {
					of = fmt.Sprintf("map<%s, %s>", kind(f.MapKey()), kind(f.MapValue()))
				} else if f.IsList() {
					of = "repeated " + of
				}
				lines = append(lines, fmt.Sprintf("%s: %s %s = %d", strings.TrimPrefix(string(m.FullName()), "inference."), of, f.Name(), f.Number()))
			}
			messages(m.Messages())
		}
	}
	messages(file.Messages())
	for i := range file.Services().Len() {
		s := file.Services().Get(i)
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			lines = append(lines, fmt.Sprintf("%s: %s(%s) %s", s.Name(), m.Name(), m.Input().Name(), m.Output().Name()))
		}
	}
	return lines
}
