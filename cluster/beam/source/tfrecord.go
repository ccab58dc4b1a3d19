package source

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/go-lxmert/lxmert/internal/tensorboard"
	"github.com/go-lxmert/lxmert/vision"
)

// maxExample bounds a record of a TFRecord file before memory is taken for it.
const maxExample = vision.MaxFileBytes + 1<<20

// tfRecords calls yield for the bytes of each record: its length in 8 bytes, their masked CRC-32C, the bytes, and theirs
// (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details). A record whose bytes are damaged comes as an error, and the next follows.
// yield must not keep the bytes.
func tfRecords(r io.Reader, yield func(number int, record []byte, err error) bool) error {
	buffered := bufio.NewReaderSize(r, 1<<18)
	var content io.Reader = buffered
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		content = bufio.NewReaderSize(unpacked, 1<<18)
	}
	var head [12]byte
	var record bytes.Buffer
	for number := 0; ; number++ {
		_, err := io.ReadFull(content, head[:])
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("the file is cut off or damaged after %d records: %w", number, err)
		case tensorboard.MaskedCRC(head[:8]) != binary.LittleEndian.Uint32(head[8:]):
			return fmt.Errorf("the file is no TFRecord file, or damaged after %d records: the checksum of a record's length is wrong", number)
		}
		length := binary.LittleEndian.Uint64(head[:8])
		if length > maxExample {
			return fmt.Errorf("record %d has %d bytes, want at most %d", number, length, maxExample)
		}
		record.Reset()
		if n, err := io.CopyN(&record, content, int64(length)+4); err != nil {
			return fmt.Errorf("the file is cut off within record %d: found %d bytes, want %d: %w", number, n, length+4, err)
		}
		body, sum := record.Bytes()[:length], record.Bytes()[length:]
		err = nil
		if tensorboard.MaskedCRC(body) != binary.LittleEndian.Uint32(sum) {
			err = errors.New("its checksum is wrong")
		}
		if !yield(number, body, err) {
			return nil
		}
	}
}

// examples reads pictures from tf.train.Example records.
func examples(r io.Reader, fields Fields, yield func(Record, error) bool) error {
	return tfRecords(r, func(number int, body []byte, err error) bool {
		var record Record
		if err == nil {
			record, err = example(body, fields)
		}
		if err != nil {
			err = &RecordError{number, err}
		}
		return yield(record, err)
	})
}

func example(body []byte, fields Fields) (Record, error) {
	features, err := parseExample(body)
	if err != nil {
		return Record{}, err
	}
	first := func(names []string) []byte {
		for _, name := range names {
			if value := features[name]; len(value) > 0 {
				return value
			}
		}
		return nil
	}
	record := Record{ID: string(first(fields.ID)), Path: string(first(fields.Path)), Content: bytes.Clone(first(fields.Content))}
	if record.Content != nil && record.ID == "" { // the name of a file that is in here
		record.ID, record.Path = record.Path, ""
	} else if record.Content != nil {
		record.Path = ""
	}
	return record, checked(record)
}

// parseExample gives the first value of each feature of a tf.train.Example, whole numbers in decimal; floats are left out.
//
//	Example { Features features = 1 }; Features { map<string, Feature> feature = 1 }
//	Feature { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3 }; XList { repeated X value = 1 }
func parseExample(body []byte) (map[string][]byte, error) {
	features := map[string][]byte{}
	err := messages(body, func(number protowire.Number, _ uint64, body []byte) error {
		if number != 1 {
			return nil
		}
		return messages(body, func(number protowire.Number, _ uint64, entry []byte) error {
			if number != 1 {
				return nil
			}
			var key, value []byte
			err := messages(entry, func(number protowire.Number, _ uint64, body []byte) error {
				switch number {
				case 1:
					key = body
				case 2:
					var err error
					value, err = firstValue(body)
					return err
				}
				return nil
			})
			if err == nil && value != nil {
				features[string(key)] = value
			}
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("no tf.train.Example: %w", err)
	}
	return features, nil
}

// firstValue is that of a Feature; nil if it has none, or floats.
func firstValue(feature []byte) (value []byte, err error) {
	err = messages(feature, func(kind protowire.Number, _ uint64, list []byte) error {
		if kind != 1 && kind != 3 {
			return nil
		}
		return messages(list, func(number protowire.Number, varint uint64, body []byte) error {
			switch {
			case value != nil || number != 1:
			case kind == 1:
				value = body
			case body != nil: // packed
				v, n := protowire.ConsumeVarint(body)
				if n < 0 {
					return protowire.ParseError(n)
				}
				value = strconv.AppendInt(nil, int64(v), 10)
			default:
				value = strconv.AppendInt(nil, int64(varint), 10)
			}
			return nil
		})
	})
	return value, err
}

// messages goes through the fields of a message: numbers, and what has a length. Others are passed over.
func messages(message []byte, each func(number protowire.Number, varint uint64, body []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		var varint uint64
		var body []byte
		switch kind {
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			if body, n = protowire.ConsumeBytes(message); body == nil {
				body = []byte{}
			}
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if kind == protowire.VarintType || kind == protowire.BytesType {
			if err := each(number, varint, body); err != nil {
				return err
			}
		}
	}
	return nil
}
