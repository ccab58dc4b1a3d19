package oip

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/go-lxmert/lxmert/serve/oip/inference"
)

// maxFields is how many messages, texts and lists a request may consist of. Each takes up to a hundred times as much memory as an empty one has bytes.
const maxFields = 4 * maxTexts

// codec is gRPC's own, which looks at requests for inference before it takes memory for what they say that they have.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	r, ok := v.(*inference.ModelInferRequest)
	if !ok {
		return c.CodecV2.Unmarshal(data, v)
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	n, ok := countFields(whole.ReadOnlyData(), r.ProtoReflect().Descriptor(), maxFields)
	if !ok {
		return fmt.Errorf("this is no message %s", r.ProtoReflect().Descriptor().FullName())
	}
	if n > maxFields {
		return fmt.Errorf("found more than %d texts, parameters, inputs and outputs", maxFields)
	}
	return c.CodecV2.Unmarshal(mem.BufferSlice{whole}, v)
}

// countFields counts the fields of a message, and of those in it, that are not numbers; up to most, and one more. It is false for what is no message.
func countFields(data []byte, message protoreflect.MessageDescriptor, most int) (n int, ok bool) {
	for len(data) > 0 && n <= most {
		number, kind, size := protowire.ConsumeTag(data)
		if size < 0 {
			return n, false
		}
		data = data[size:]
		if kind != protowire.BytesType {
			if size = protowire.ConsumeFieldValue(number, kind, data); size < 0 || kind == protowire.StartGroupType {
				return n, false
			}
			data = data[size:]
			continue
		}
		inner, size := protowire.ConsumeBytes(data)
		if size < 0 {
			return n, false
		}
		data = data[size:]
		n++
		if field := message.Fields().ByNumber(number); field != nil && field.Message() != nil {
			more, ok := countFields(inner, field.Message(), most-n)
			if !ok {
				return n, false
			}
			n += more
		}
	}
	return n, true
}
