package torch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
)

// refused is what Parse says to a file that it must refuse, at little cost: in less than a second, of which a busy
// machine may need several to try, and 200 MB.
func refused(t *testing.T, content []byte, want string) {
	t.Helper()
	var took time.Duration
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		_, err := Parse(content)
		took = time.Since(began)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %.300v, want %q", err, want)
		}
		if err != nil && len(err.Error()) > 8000 {
			t.Errorf("the error has %d bytes", len(err.Error()))
		}
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 200 {
			t.Errorf("took %d MB", used)
		}
		if took < second {
			return
		}
	}
	t.Errorf("took %v", took)
}

// A pickle that calls what it should not is refused by the name of that, in every format.
func TestRefuseGlobals(t *testing.T) {
	for _, c := range [][2]string{
		{"os", "system"}, {"posix", "system"}, {"nt", "system"}, {"builtins", "eval"}, {"builtins", "exec"}, {"__builtin__", "eval"},
		{"builtins", "getattr"}, {"builtins", "__import__"}, {"builtins", "open"}, {"subprocess", "Popen"}, {"subprocess", "check_output"},
		{"torch.hub", "load"}, {"torch", "load"}, {"torch.serialization", "load"}, {"torch.jit", "load"}, {"torch.storage", "_load_from_bytes"},
		{"torch._utils", "_import_dotted_name"}, {"numpy", "load"}, {"numpy.core.multiarray", "fromfile"}, {"numpy.testing._private.utils", "runstring"},
		{"pickle", "loads"}, {"cloudpickle.cloudpickle", "_make_function"}, {"importlib", "import_module"}, {"webbrowser", "open"},
		{"collections", "OrderedDict.__init__"}, {"types", "CodeType"}, {"operator", "attrgetter"}, {"functools", "partial"},
		{"_codecs", "decode"}, {"codecs", "encode"}, {"", ""}, {"torch", ""}, {"timeit", "timeit"}, {"sys", "modules"}, {"shutil", "rmtree"},
	} {
		name := c[0] + "." + c[1]
		want := fmt.Sprintf("found global %s, which is not one of those a checkpoint of weights needs: refused", show(name))
		call := pickle2(dict2(text2("x"), call2(global2(c[0], c[1]), text2("echo"))))
		stacked := "\x80\x04" + text2(c[0]) + text2(c[1]) + "\x93" + tuple2(text2("echo")) + "R."
		for _, pickle := range []string{call, stacked} {
			refused(t, []byte(pickle), want)
			refused(t, zipped(t, pickle), want)
			refused(t, legacyFile(pickle), want)
		}
	}
}

// Names that are allowed do nothing but what they are for.
func TestRefuseAbuse(t *testing.T) {
	encode, ordered := global2("_codecs", "encode"), global2("collections", "OrderedDict")
	rebuild := global2("torch._utils", "_rebuild_tensor_v2")
	store := storage2("FloatStorage", "0", 4)
	for name, c := range map[string]struct{ value, want string }{
		"encode by another codec":   {call2(encode, text2("x"), text2("rot13")), "want a text and latin1"},
		"encode by zlib":            {call2(encode, bytes2("x"), text2("zlib_codec")), "want a text and latin1"},
		"encode nothing":            {call2(encode), "want a text and its encoding"},
		"encode letters":            {call2(encode, text2("€"), text2("latin1")), "want one that is a byte"},
		"call a number":             {call2(number2(1)), "found a call of a number"},
		"call an object":            {call2(call2(global2("torch", "device"), text2("cpu"))), "found a call of torch.device"},
		"call a class of storages":  {call2(global2("torch", "FloatStorage"), number2(1<<40)), "found a call of a class of storages"},
		"call a type":               {call2(global2("torch", "float32")), "found a call of type F32"},
		"state of a list":           {"]" + dict2() + "b", "found the state of a list"},
		"state of a function":       {ordered + dict2() + "b", "found the state of collections.OrderedDict"},
		"dict of a number":          {call2(ordered, number2(1)), "want a list of pairs"},
		"dict of no pairs":          {call2(ordered, "]("+number2(1)+"e"), "want a pair"},
		"reference to a text":       {"Pfile\n", "found a reference to a text"},
		"reference to a module":     {tuple2(text2("module"), "N", "N", "N", "N") + "Q", "found a reference to a module"},
		"storage of a number":       {tuple2(text2("storage"), number2(1), text2("0"), text2("cpu"), number2(1)) + "Q", "does not say its type"},
		"storage of negative size":  {storage2("FloatStorage", "0", -1), "storage 0 has -1 elements"},
		"storage of great size":     {storage2("FloatStorage", "0", math.MaxInt), "out of a file of"},
		"storage of long key":       {storage2("FloatStorage", strings.Repeat("0", 300), 1), "does not say its type"},
		"storage of two sizes":      {tuple2(store, storage2("FloatStorage", "0", 3)), "once 4 elements of 4 bytes, once 3 of 4"},
		"storage of two types":      {tuple2(store, storage2("DoubleStorage", "0", 2)), "once 4 elements of 4 bytes, once 2 of 8"},
		"storage outside":           {storage2("FloatStorage", "../../data.pkl", 4), "found no member m/data/../../data.pkl"},
		"storage of another member": {storage2("FloatStorage", "9", 4), "found no member m/data/9"},
		"storage past its member":   {storage2("DoubleStorage", "0", 3), "storage 0: found 16 bytes, want 24"},
		"tensor of no storage":      {call2(rebuild, number2(0), number2(0), numbers2(nil), numbers2(nil)), "found a number, want a storage"},
		"tensor of nothing":         {call2(rebuild), "found 0 arguments"},
		"negative offset":           {tensor2(store, -1, []int{1}, []int{1}), "the offset"},
		"negative dimension":        {tensor2(store, 0, []int{-4}, []int{1}), "found -4 as a dimension or stride"},
		"negative stride":           {tensor2(store, 3, []int{4}, []int{-1}), "found -1 as a dimension or stride"},
		"fewer strides":             {tensor2(store, 0, []int{2, 2}, []int{1}), "found 2 dimensions and 1 strides"},
		"many dimensions":           {tensor2(store, 0, make([]int, 65), make([]int, 65)), "found 65 dimensions"},
		"long dimension":            {call2(rebuild, store, number2(0), tuple2("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01"), tuple2(number2(1))), "found a number as a dimension"},
		"parameter of a number":     {call2(global2("torch._utils", "_rebuild_parameter"), number2(1)), "want a tensor"},
		"type of itself":            {call2(global2("torch._tensor", "_rebuild_from_type_v2"), global2("torch._tensor", "_rebuild_from_type_v2"), "N", ")", "N"), "want a function that makes a tensor"},
		"array of a list":           {array2("f4", "<", []int{1}, "\x89", "]"), "want the bytes of its elements"},
		"array of another order":    {array2("f4", "?", []int{1}, "\x89", bytes2("1234")), "found byte order ?"},
		"buffer of another order":   {call2(global2("numpy.core.numeric", "_frombuffer"), bytes2(""), call2(global2("numpy", "dtype"), text2("f4")), numbers2(nil), text2("A")), "want C or F"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, zipped(t, pickle2(dict2(text2("x"), c.value)), "m/data/0", string(le(arange(4)))), c.want)
		})
	}
}

// What a tensor says of its place must be true, and the error says which one it is.
func TestRefuseTensors(t *testing.T) {
	store := storage2("FloatStorage", "0", 4)
	noted := func(notes ...string) string {
		return call2(global2("torch._utils", "_rebuild_tensor_v2"), store, number2(0), numbers2(nil), numbers2(nil), "\x89", "}", dict2(notes...))
	}
	const big = math.MaxInt
	for name, c := range map[string]struct{ tensor, want string }{
		"past the end":             {tensor2(store, 0, []int{5}, []int{1}), "tensor w has shape [5], strides [1] and offset 0, so its last element is number 4 of a storage of 4"},
		"past the end by offset":   {tensor2(store, 4, []int{1}, []int{1}), "number 4 of a storage of 4"},
		"past the end by stride":   {tensor2(store, 0, []int{2, 2}, []int{3, 1}), "number 4 of a storage of 4"},
		"offset beyond numbers":    {tensor2(store, big, []int{1}, []int{1}), "of a storage of 4"},
		"stride beyond numbers":    {tensor2(store, 0, []int{3}, []int{big}), "no memory has room"},
		"strides that wrap":        {tensor2(store, 0, []int{3, 3, 2}, []int{1 << 62, 1 << 62, 1}), "no memory has room"},
		"offset and stride":        {tensor2(store, big, []int{2}, []int{big}), "no memory has room"},
		"shape beyond numbers":     {tensor2(store, 0, []int{1 << 40, 1 << 40}, []int{0, 0}), "no memory has room"},
		"shape with a zero":        {tensor2(store, 0, []int{1 << 40, 1 << 40, 0}, []int{0, 0, 1}), "no memory has room"},
		"expanded without end":     {tensor2(store, 0, []int{1 << 30}, []int{0}), "tensor w has shape [1073741824], too much for a file of"},
		"array of fewer bytes":     {array2("f4", "<", []int{2}, "\x89", bytes2("1234")), "tensor w has 4 bytes, want those of F32 [2]"},
		"array of more bytes":      {array2("f4", "<", []int{1}, "\x89", bytes2("12345")), "tensor w has 5 bytes"},
		"array beyond numbers":     {array2("f4", "<", []int{1 << 40, 1 << 40}, "\x88", bytes2("1234")), "tensor w has 4 bytes"},
		"array of objects":         {array2("O8", "|", []int{1}, "\x89", "](Ne"), "tensor w has elements O8, want numbers"},
		"array of texts":           {array2("U4", "<", []int{1}, "\x89", bytes2("1234")), "tensor w has elements U4, want numbers"},
		"array without elements":   {call2(global2("numpy.core.multiarray", "_reconstruct"), global2("numpy", "ndarray")), "tensor w was never given its elements"},
		"array of long double":     {array2("f16", "<", []int{1}, "\x89", bytes2("1234567890123456")), "tensor w has elements f16"},
		"expanded, many times":     {tensor2(store, 0, []int{1 << 24}, []int{0}) + text2("w2") + tensor2(store, 0, []int{1 << 24}, []int{0}), "tensor w2 has shape [16777216], too much"},
		"conjugate":                {noted(text2("conj"), "\x88"), "tensor w is not what lies in its storage, but that with the note conj"},
		"negative":                 {noted(text2("conj"), "\x89", text2("neg"), "\x88"), "with the note neg"},
		"the same name twice":      {tensor2(store, 0, []int{1}, []int{1}) + text2("w") + tensor2(store, 0, []int{1}, []int{1}), "tensor w is there twice"},
		"a name that is no text":   {tensor2(store, 0, []int{1}, []int{1}) + number2(1) + tensor2(store, 0, []int{1}, []int{1}), "found a tensor under a number, want a name"},
		"a name that is not UTF-8": {tensor2(store, 0, []int{1}, []int{1}) + text2("\xff") + tensor2(store, 0, []int{1}, []int{1}), "found a tensor under a text, want a name"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, zipped(t, pickle2(dict2(text2("w"), c.tensor)), "m/data/0", string(le(arange(4)))), c.want)
		})
	}
	many := ""
	for i := range 100_000 / 40 {
		many += text2(fmt.Sprint(i)) + tensor2(store, 9, []int{1}, []int{1})
	}
	refused(t, zipped(t, pickle2(dict2(many)), "m/data/0", string(le(arange(4)))), "tensor 19 has shape")
}

// Small files that ask for much.
func TestRefuseBombs(t *testing.T) {
	store := storage2("FloatStorage", "0", 4)
	const n = 100_000
	remembered := func(value, again string) string { // a value, then again and again
		return "\x80\x02" + value + "q\x000" + strings.Repeat(again, n) + "."
	}
	long := text2(strings.Repeat("x", 1<<20))
	for name, c := range map[string]struct{ pickle, want string }{
		"lists in lists":     {"\x80\x02" + strings.Repeat("]", n) + strings.Repeat("a", n-1) + ".", "more than 1000 deep"},
		"dicts in dicts":     {"\x80\x02}" + strings.Repeat("K\x00}", n) + strings.Repeat("s", n) + ".", "more than 1000 deep"},
		"tuples in tuples":   {"\x80\x02)" + strings.Repeat("\x85", n) + ".", "more than 1000 deep"},
		"dicts in calls":     {"\x80\x02}q\x000" + strings.Repeat(global2("collections", "OrderedDict")+"(](](K\x00h\x00eetRq\x000", n/2) + ".", "more than 1000 deep"},
		"texts made bytes":   {remembered(long, global2("_codecs", "encode")+"(h\x00"+text2("latin1")+"tR0"), "more bytes from texts"},
		"texts as names":     {remembered(long, "h\x00h\x00\x93"), "not a short text"},
		"texts as keys":      {remembered(long, tuple2(text2("storage"), global2("torch", "FloatStorage"), "h\x00", text2("cpu"), number2(1))+"Q"), "does not say its type"},
		"bytes as types":     {remembered(bytes2(strings.Repeat("x", 1<<20)), global2("numpy", "dtype")+"(h\x00tR0"), "nothing is"},
		"lists made dicts":   {remembered("]("+strings.Repeat("](NNe", 10_000)+"e", global2("collections", "OrderedDict")+"(h\x00tR0"), "copies too many lists"},
		"shapes":             {remembered(numbers2(make([]int, 10_000)), global2("torch._utils", "_rebuild_tensor")+"("+"h\x00h\x00h\x00h\x00tR0"), "want a storage"},
		"a loop":             {pickle2("}q\x00(" + text2("model") + "h\x00" + text2("a") + "h\x00" + text2("state_dict") + "h\x00u"), "found no dict of tensors, but a dict of model: a dict of 3, a: a dict of 3, state_dict: a dict of 3"},
		"a billion laughs":   {"\x80\x02" + "}q\x00" + strings.Repeat("}(K\x01h\x00K\x02h\x00K\x03h\x00"+text2("a")+"h\x00"+text2("b")+"h\x00uq\x00", 900) + ".", "found no dict of tensors"},
		"dicts to be looked": {"\x80\x02" + "}q\x00(" + strings.Repeat("K\x01}", n) + "u0}(" + strings.Repeat(text2("a")+"h\x00", n) + "u.", "found no dict of tensors"},
		"tensors":            {"\x80\x02}(" + strings.Repeat(text2("a"), n) + "u.", "found no dict of tensors"},
		"empty dicts":        {"\x80\x02" + strings.Repeat("}", 4<<20), "more than 1048576 operations"},
		"storages":           {"\x80\x02" + store + "q\x00" + global2("torch._utils", "_rebuild_tensor") + "q\x01(K\x00))tq\x02" + strings.Repeat("h\x01(h\x00K\x00))tR", 1<<18), "more than 1048576 operations"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, zipped(t, c.pickle, "m/data/0", string(le(arange(4)))), c.want)
			refused(t, zippedAs(t, zip.Deflate, "m/data.pkl", c.pickle, "m/data/0", string(le(arange(4)))), c.want)
		})
	}
}

// Archives that are not what they say.
func TestRefuseArchives(t *testing.T) {
	store := storage2("FloatStorage", "0", 4)
	pickle := pickle2(dict2(text2("w"), tensor2(store, 0, []int{4}, []int{1})))
	data := string(le(arange(4)))
	good := zipped(t, pickle, "m/data/0", data)
	if _, err := Parse(good); err != nil {
		t.Fatal(err)
	}
	zeros := string(make([]byte, 64<<20))
	for want, content := range map[string][]byte{
		"member m/data/0 is there twice":                  zipped(t, pickle, "m/data/0", data, "m/data/0", data),
		"member m/data.pkl is there twice":                zipped(t, pickle, "m/data.pkl", pickle, "m/data/0", data),
		"found members a/data.pkl and m":                  zipped(t, pickle, "a/data.pkl", pickle, "m/data/0", data),
		"a TorchScript archive":                           zipped(t, pickle, "m/constants.pkl", pickle),
		"big-endian machines":                             zipped(t, pickle, "m/data/0", data, "m/byteorder", "big"),
		"2 members without data.pkl":                      zippedAs(t, zip.Store, "x.npy", "", "y.npy", ""),
		"storage 0: member m/data/0: is compressed, from": zippedAs(t, zip.Deflate, "m/data.pkl", pickle, "m/data/0", zeros),
		"member m/data.pkl: is compressed, from":          zippedAs(t, zip.Deflate, "m/data.pkl", zeros, "m/data/0", data),
		"not a valid zip file":                            good[:len(good)-30],
		"storage 0: found 12 bytes, want 16":              zipped(t, pickle, "m/data/0", data[:12]),
	} {
		t.Run(want, func(t *testing.T) { refused(t, content, want) })
	}

	// Directories of many members: as many as are read, and more.
	for n, want := range map[int]string{200_000: "200000 members without data.pkl", 400_000: "directory has more than 16777216 bytes"} {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprint("m/data/", i), "")
		}
		t.Run(want, func(t *testing.T) { refused(t, zippedAs(t, zip.Store, members...), want) })
	}

	// The directory says of m/data/0 what is not so.
	entry := bytes.LastIndex(good, []byte("PK\x01\x02"))
	local := bytes.Index(good, []byte("m/data/0")) - 30
	for want, change := range map[string]func(b []byte){
		"has 1048576 bytes from byte":             func(b []byte) { le32At(b, entry+20, 1<<20); le32At(b, entry+24, 1<<20) },
		"in a file of":                            func(b []byte) { le32At(b, entry+24, 17) },
		"is compressed by method 99":              func(b []byte) { b[entry+10] = 99 },
		"is encrypted":                            func(b []byte) { b[entry+8] |= 1 },
		"its header is not in the file: zip: not": func(b []byte) { b[local] = 'Q' },
		"member m/data/0: has 16 bytes":           func(b []byte) { b[local+28], b[local+29] = 0xff, 0xff },
		"is not in the file: EOF":                 func(b []byte) { le32At(b, entry+42, 1<<30) },
	} {
		t.Run(want, func(t *testing.T) {
			b := bytes.Clone(good)
			change(b)
			refused(t, b, want)
		})
	}
}

func le32At(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }

// Legacy files whose storages are not what the pickle says, and files of other kinds.
func TestRefuseLegacy(t *testing.T) {
	pickle := pickle2(dict2(text2("w"), tensor2(storage2("FloatStorage", "7", 4, "N"), 0, []int{4}, []int{1})))
	part := func(offset, count int) string {
		return pickle2(dict2(text2("w"), tensor2(storage2("FloatStorage", "7", 4, tuple2(text2("8"), number2(offset), number2(count))), 0, []int{2}, []int{1})))
	}
	data := string(le(arange(4)))
	tar := make([]byte, 1024)
	copy(tar[257:], "ustar  ")
	for want, content := range map[string][]byte{
		"storage 7 has 5 elements, want 4":                   legacyFile(pickle, "7", 5, data+"1234"),
		"storage 7 has 18446744073709551615 elements":        legacyFile(pickle, "7", -1, data),
		"storage 7: found 12 bytes, want 16":                 legacyFile(pickle, "7", 4, data[:12]),
		"storage 7 is there twice":                           legacyFile(pickle, "7", 4, data, "7", 4, data),
		"storage 8: no tensor says of which type":            legacyFile(pickle, "8", 4, data),
		"tensor w lies in storage 7, which is not in the fi": legacyFile(pickle),
		"a part that ends after them":                        legacyFile(part(3, 2), "7", 4, data),
		"storage 7 has 4 elements, and a part":               legacyFile(part(-1, 2), "7", 4, data),
		"number 1 of a storage of 1":                         legacyFile(part(3, 1), "7", 4, data),
		"a big-endian machine":                               []byte(legacyHead("\x89") + pickle),
		"version: found 1000, want 1001":                     []byte("\x80\x02\x8a\x0a" + legacyMagic + "." + pickle2("M\xe8\x03") + pickle2("}")),
		"version: found a dict":                              []byte("\x80\x02\x8a\x0a" + legacyMagic + "." + pickle2("}") + pickle2("}")),
		"magic number: found another":                        []byte("\x80\x02\x8a\x0b" + legacyMagic + "\x00." + pickle2("M\xe9\x03") + pickle2("}")),
		"tar format of 2017":                                 tar,
		"the file is empty":                                  {},
		"want a file of torch.save":                          []byte("\x10\x00\x00\x00\x00\x00\x00\x00{}"),
		"found a list of 0, want a dict of tensors":          []byte(pickle2("]")),
		"found a tensor, want a dict of tensors":             legacyFile(pickle2(tensor2(storage2("FloatStorage", "7", 4, "N"), 0, nil, nil)), "7", 4, data),
	} {
		t.Run(want, func(t *testing.T) { refused(t, content, want) })
	}
}
