package frcnn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/pretrained"
)

// ConfigName is the configuration's file name in a detector's directory.
const ConfigName = "config.yaml"

// maxConfig bounds the file.
const maxConfig = 1 << 20

// ReadConfig reads a config.yaml as the detector on Hugging Face's hub has it. Keys may be in any case. Keys that only training reads may be missing, others not: they
// have no defaults, for a wrong guess would only make features worse. What a detector here cannot be (another backbone, features of several levels) is an
// error. The error has a line for each key.
func ReadConfig(r io.Reader) (*Config, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("found more than %d bytes: this is no detector's configuration", maxConfig)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	if len(tree) == 0 {
		return nil, errors.New("found no keys, want those of a detector's config.yaml")
	}
	k := &keys{values: map[string]any{}}
	k.flatten("", tree)
	c := k.config()
	if len(k.errs) == 0 {
		return c, c.Check()
	}
	return nil, errors.Join(k.errs...)
}

// keys are the values of a YAML by the path of their keys, in upper case.
type keys struct {
	values map[string]any
	checker
}

func (k *keys) flatten(prefix string, tree map[string]any) {
	for key, v := range tree {
		path := prefix + strings.ToUpper(key)
		if _, ok := k.values[path]; ok {
			k.errs = append(k.errs, fmt.Errorf("%s: found twice, in different cases", path))
		}
		k.values[path] = v
		if below, ok := v.(map[string]any); ok {
			k.flatten(path+".", below)
		}
	}
}

// config reads the keys. What is only ever one value is checked here.
func (k *keys) config() *Config {
	c := &Config{
		MinSize: k.integer("INPUT.MIN_SIZE_TEST"), MaxSize: k.integer("INPUT.MAX_SIZE_TEST"),
		PadValue:  float32(k.number("PAD_VALUE")),
		PixelMean: [3]float32(k.numbers32("MODEL.PIXEL_MEAN", 3)), PixelStd: [3]float32(k.numbers32("MODEL.PIXEL_STD", 3)),
		Depth: k.integer("RESNETS.DEPTH"), NumGroups: k.integer("RESNETS.NUM_GROUPS"), WidthPerGroup: k.integer("RESNETS.WIDTH_PER_GROUP"),
		StemOutChannels: k.integer("RESNETS.STEM_OUT_CHANNELS"), Res2OutChannels: k.integer("RESNETS.RES2_OUT_CHANNELS"),
		StrideIn1x1: k.truth("RESNETS.STRIDE_IN_1X1"), CaffeMaxPool: k.truth("MODEL.MAX_POOL"),
		AnchorSizes: k.level("ANCHOR_GENERATOR.SIZES"), AspectRatios: k.level("ANCHOR_GENERATOR.ASPECT_RATIOS"), AnchorOffset: k.number("ANCHOR_GENERATOR.OFFSET"),
		HiddenChannels: k.integer("PROPOSAL_GENERATOR.HIDDEN_CHANNELS"), MinBoxSize: float32(k.number("PROPOSAL_GENERATOR.MIN_SIZE")),
		RPNWeights: [4]float32(k.numbers32("RPN.BBOX_REG_WEIGHTS", 4)), RPNThreshold: k.number("RPN.NMS_THRESH"),
		PreNMS: k.integer("RPN.PRE_NMS_TOPK_TEST"), PostNMS: k.integer("RPN.POST_NMS_TOPK_TEST"),
		NumClasses: k.integer("ROI_HEADS.NUM_CLASSES"), BoxWeights: [4]float32(k.numbers32("ROI_BOX_HEAD.BBOX_REG_WEIGHTS", 4)),
		ClassAgnostic: k.truth("ROI_BOX_HEAD.CLS_AGNOSTIC_BBOX_REG"), PoolerResolution: k.integer("ROI_BOX_HEAD.POOLER_RESOLUTION"),
		Res5Halve:     k.truth("ROI_BOX_HEAD.RES5HALVE"),
		Thresholds:    k.oneOrMore("ROI_HEADS.NMS_THRESH_TEST"),
		MinDetections: k.integer("MIN_DETECTIONS"), MaxDetections: k.integer("MAX_DETECTIONS"),
	}
	if k.truth("ROI_BOX_HEAD.ATTR") {
		if c.NumAttrs = k.integer("ROI_BOX_HEAD.NUM_ATTRS"); c.NumAttrs == 0 {
			k.wrong("ROI_BOX_HEAD.NUM_ATTRS", 0, "1 or more, where ROI_BOX_HEAD.ATTR is true")
		}
	}
	k.only("RESNETS.NORM", "BN", "FrozenBN")
	k.only("RESNETS.OUT_FEATURES", "[res4]")
	k.only("RPN.IN_FEATURES", "[res4]")
	k.only("ROI_HEADS.IN_FEATURES", "[res4]")
	k.only("SIZE_DIVISIBILITY", "0")
	// FORMAT says nothing about the order in which pixels go in, whatever it says: Hugging Face's code reads it for another purpose.
	k.only("INPUT.FORMAT", "BGR")
	// Where the fifth stage is dilated it is so whatever this says, as in the reference; 2 is another thing in Detectron2.
	k.only("RESNETS.RES5_DILATION", "1")
	return c
}

// get is a key's value; that it is missing, or null, is an error.
func (k *keys) get(key string) (any, bool) {
	v := k.values[key]
	if v == nil {
		k.errs = append(k.errs, fmt.Errorf("%s: found nothing, want a value: this key has no default", key))
	}
	return v, v != nil
}

func (k *keys) number(key string) float64 {
	v, ok := k.get(key)
	if !ok {
		return 0
	}
	n, ok := asNumber(v)
	if !ok {
		k.wrong(key, v, "a number")
	}
	return n
}

func asNumber(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func (k *keys) integer(key string) int {
	v, ok := k.get(key)
	if !ok {
		return 0
	}
	n, ok := v.(int)
	if f, isFloat := v.(float64); !ok && isFloat && f == float64(int(f)) {
		n, ok = int(f), true
	}
	if !ok {
		k.wrong(key, v, "a whole number")
	}
	return n
}

func (k *keys) truth(key string) bool {
	v, ok := k.get(key)
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		k.wrong(key, v, "true or false")
	}
	return b
}

// numbers are those of a list.
func (k *keys) numbers(key string, v any) []float64 {
	list, ok := v.([]any)
	out := make([]float64, 0, len(list))
	for _, item := range list {
		n, isNumber := asNumber(item)
		ok = ok && isNumber
		out = append(out, n)
	}
	if !ok {
		k.wrong(key, v, "a list of numbers")
		return nil
	}
	return out
}

// numbers32 are those of a list of that length; if it is none, zeros.
func (k *keys) numbers32(key string, length int) []float32 {
	out := make([]float32, length)
	v, ok := k.get(key)
	if !ok {
		return out
	}
	list := k.numbers(key, v)
	if list != nil && len(list) != length {
		k.wrong(key, v, fmt.Sprintf("%d numbers", length))
		return out
	}
	for i, n := range list {
		out[i] = float32(n)
	}
	return out
}

// level are the numbers of a list in a list: there is one level of features.
func (k *keys) level(key string) []float64 {
	v, ok := k.get(key)
	if !ok {
		return nil
	}
	levels, ok := v.([]any)
	if !ok || len(levels) != 1 {
		k.wrong(key, v, "a list of one list of numbers: features have one level")
		return nil
	}
	return k.numbers(key, levels[0])
}

// oneOrMore are the numbers of a list, or the one that stands there alone.
func (k *keys) oneOrMore(key string) []float64 {
	v, ok := k.get(key)
	if !ok {
		return nil
	}
	if n, ok := asNumber(v); ok {
		return []float64{n}
	}
	return k.numbers(key, v)
}

// only checks a key that may have these values.
func (k *keys) only(key string, values ...string) {
	if v, ok := k.get(key); ok && !slices.Contains(values, fmt.Sprint(v)) {
		k.wrong(key, v, strings.Join(values, " or ")+", the only one there is here")
	}
}

// readConfigFile is [ReadConfig] for a file. Errors name it.
func readConfigFile(path string) (*Config, error) {
	text, err := plainfile.Read(path, maxConfig+1)
	if err != nil {
		return nil, err
	}
	c, err := ReadConfig(bytes.NewReader(text))
	if err != nil {
		return nil, pretrained.InFile(path, err)
	}
	return c, nil
}
