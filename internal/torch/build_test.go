package torch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// Parts of a pickle, in the operations of protocol 2.

func global2(module, name string) string { return "c" + module + "\n" + name + "\n" }

func text2(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func bytes2(b string) string {
	return "B" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(b)))) + b
}

func number2(n int) string { return fmt.Sprintf("I%d\n", n) }

func tuple2(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func dict2(keysAndValues ...string) string { return "}(" + strings.Join(keysAndValues, "") + "u" }

func call2(function string, arguments ...string) string { return function + tuple2(arguments...) + "R" }

func numbers2(values []int) string {
	out := "("
	for _, v := range values {
		out += number2(v)
	}
	return out + "t"
}

// storage2 refers to a storage; rest is the legacy format's last part.
func storage2(class, key string, count int, rest ...string) string {
	return tuple2(text2("storage"), global2("torch", class), text2(key), text2("cuda:0"), number2(count), strings.Join(rest, "")) + "Q"
}

func tensor2(storage string, offset int, shape, stride []int) string {
	return call2(global2("torch._utils", "_rebuild_tensor_v2"), storage, number2(offset), numbers2(shape), numbers2(stride), "\x89", call2(global2("collections", "OrderedDict")))
}

// array2 is a NumPy array as protocol 2 and 3 have it.
func array2(code, order string, shape []int, fortran, data string) string {
	class := call2(global2("numpy", "dtype"), text2(code), number2(0), number2(1)) + tuple2(number2(3), text2(order), "N", "N", "N", number2(-1), number2(-1), number2(0)) + "b"
	return call2(global2("numpy.core.multiarray", "_reconstruct"), global2("numpy", "ndarray"), numbers2([]int{0}), bytes2("b")) +
		tuple2(number2(1), numbers2(shape), class, fortran, data) + "b"
}

func pickle2(value string) string { return "\x80\x02" + value + "." }

// zipped is a file in the zip format: a pickle, and more members as names and bytes.
func zipped(t testing.TB, pickle string, members ...string) []byte {
	t.Helper()
	return zippedAs(t, zip.Store, append([]string{"m/data.pkl", pickle}, members...)...)
}

func zippedAs(t testing.TB, method uint16, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: members[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// legacyHead is what a file in the legacy format begins with.
func legacyHead(littleEndian string) string {
	return "\x80\x02\x8a\x0a" + legacyMagic + "." + pickle2("M\xe9\x03") + pickle2(dict2(text2("protocol_version"), "M\xe9\x03", text2("little_endian"), littleEndian))
}

// legacyFile is a file in the legacy format: a pickle, and storages as keys, numbers of elements and bytes.
func legacyFile(pickle string, storages ...any) []byte {
	keys := ""
	var rest []byte
	for i := 0; i < len(storages); i += 3 {
		keys += text2(storages[i].(string))
		rest = binary.LittleEndian.AppendUint64(rest, uint64(storages[i+1].(int)))
		rest = append(rest, storages[i+2].(string)...)
	}
	return append([]byte(legacyHead("\x88")+pickle+pickle2("]("+keys+"e")), rest...)
}
