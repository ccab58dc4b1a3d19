package frcnn

import (
	"errors"
	"fmt"
	"math"
)

// A Config describes a detector: what its config.yaml says, as far as looking at pictures needs it. What it says about training is not kept. Names are those of
// the YAML's keys.
type Config struct {
	// INPUT: the shorter side of a picture becomes MinSize pixels, unless the longer one would exceed MaxSize.
	MinSize, MaxSize int
	// PadValue is what lies beside a picture that is padded, after its mean was subtracted.
	PadValue float32
	// PIXEL_MEAN and PIXEL_STD, in the order blue, green, red.
	PixelMean, PixelStd [3]float32

	// RESNETS: a ResNet of Depth 50, 101 or 152.
	Depth, NumGroups, WidthPerGroup  int
	StemOutChannels, Res2OutChannels int
	StrideIn1x1                      bool // a block that halves does so in its first convolution, as Caffe's, not in the 3×3
	CaffeMaxPool                     bool // MODEL.MAX_POOL: the pooling after the stem is not padded and rounds up

	// ANCHOR_GENERATOR: anchors of each size (the root of the area, in pixels) and ratio (height to width), at (place + Offset) · 16.
	AnchorSizes, AspectRatios []float64
	AnchorOffset              float64

	// PROPOSAL_GENERATOR and RPN. HiddenChannels of -1 are as many as the backbone's.
	HiddenChannels int
	MinBoxSize     float32 // MIN_SIZE: proposals that are not wider and higher, in pixels of the resized picture, are dropped
	RPNWeights     [4]float32
	RPNThreshold   float64 // NMS_THRESH
	PreNMS         int     // PRE_NMS_TOPK_TEST
	PostNMS        int     // POST_NMS_TOPK_TEST

	// ROI_HEADS and ROI_BOX_HEAD.
	NumClasses       int // without the background
	NumAttrs         int // 0: the detector tells no attributes
	BoxWeights       [4]float32
	ClassAgnostic    bool // CLS_AGNOSTIC_BBOX_REG: one box for all classes
	PoolerResolution int
	Res5Halve        bool // the fifth stage halves its input; else its 3×3 convolutions are dilated

	// Thresholds of the last suppression are tried in order, until MinDetections are left; the best MaxDetections are kept.
	Thresholds                   []float64
	MinDetections, MaxDetections int
}

// stride is how many pixels of the resized picture a place of the backbone's features stands for.
const stride = 16

// blocks are how many blocks the stages of a ResNet have, from the second on.
var blocks = map[int][4]int{50: {3, 4, 6, 3}, 101: {3, 4, 23, 3}, 152: {3, 8, 36, 3}}

// Bounds on what a configuration may ask for: far beyond any detector, near enough that memory is not exhausted.
const (
	maxSide       = 8192
	maxChannels   = 1 << 14
	maxAnchors    = 1 << 10
	maxProposals  = 1 << 16
	maxClasses    = 1 << 16
	maxResolution = 64
)

// Original is the configuration of py-bottom-up-attention, the detector that made LXMERT's own features: Visual Genome's 1600 kinds of objects and
// 400 attributes, pictures of 600 to 1000 pixels, 36 regions (demo/detectron2_mscoco_proposal_maxnms.py).
func Original() *Config {
	c := &Config{
		MinSize: 600, MaxSize: 1000, PixelMean: [3]float32{102.9801, 115.9465, 122.7717}, PixelStd: [3]float32{1, 1, 1},
		Depth: 101, NumGroups: 1, WidthPerGroup: 64, StemOutChannels: 64, Res2OutChannels: 256, StrideIn1x1: true, CaffeMaxPool: true,
		AnchorSizes: []float64{64, 128, 256, 512}, AspectRatios: []float64{0.5, 1, 2},
		HiddenChannels: 512, RPNWeights: [4]float32{1, 1, 1, 1}, RPNThreshold: 0.7, PreNMS: 6000, PostNMS: 300,
		NumClasses: 1600, NumAttrs: 400, BoxWeights: [4]float32{10, 10, 5, 5}, PoolerResolution: 14,
		MinDetections: 36, MaxDetections: 36,
	}
	// numpy.arange(0.3, 1.0, 0.1): each is the first plus a multiple of the difference of the first two.
	first, second := 0.3, 0.3+0.1
	for i := range 7 {
		c.Thresholds = append(c.Thresholds, first+float64(float64(i)*(second-first)))
	}
	return c
}

// Anchors is how many boxes there are at each place.
func (c *Config) Anchors() int { return len(c.AnchorSizes) * len(c.AspectRatios) }

// Res4Channels is how many numbers the backbone has for each place.
func (c *Config) Res4Channels() int { return 4 * c.Res2OutChannels }

// FeatureWidth is how many numbers describe a region.
func (c *Config) FeatureWidth() int { return 8 * c.Res2OutChannels }

// hidden is HiddenChannels, or what -1 stands for.
func (c *Config) hidden() int {
	if c.HiddenChannels == -1 {
		return c.Res4Channels()
	}
	return c.HiddenChannels
}

// Check says whether there can be such a detector. The error has a line for each key that is wrong.
func (c *Config) Check() error {
	k := checker{}
	k.within("INPUT.MIN_SIZE_TEST", c.MinSize, 1, maxSide)
	k.within("INPUT.MAX_SIZE_TEST", c.MaxSize, 1, maxSide)
	if _, ok := blocks[c.Depth]; !ok {
		k.wrong("RESNETS.DEPTH", c.Depth, "50, 101 or 152")
	}
	k.within("RESNETS.NUM_GROUPS", c.NumGroups, 1, maxChannels)
	k.within("RESNETS.WIDTH_PER_GROUP", c.WidthPerGroup, 1, maxChannels)
	k.within("RESNETS.STEM_OUT_CHANNELS", c.StemOutChannels, 1, maxChannels)
	k.within("RESNETS.RES2_OUT_CHANNELS", c.Res2OutChannels, 1, maxChannels)
	if c.NumGroups > 0 && c.WidthPerGroup > maxChannels/c.NumGroups {
		k.wrong("RESNETS.NUM_GROUPS · WIDTH_PER_GROUP", c.NumGroups*c.WidthPerGroup, fmt.Sprintf("at most %d", maxChannels))
	}
	k.within("ANCHOR_GENERATOR.SIZES · ASPECT_RATIOS", c.Anchors(), 1, maxAnchors)
	k.positive("ANCHOR_GENERATOR.SIZES", c.AnchorSizes...)
	k.positive("ANCHOR_GENERATOR.ASPECT_RATIOS", c.AspectRatios...)
	if !(c.AnchorOffset >= 0 && c.AnchorOffset < 1) {
		k.wrong("ANCHOR_GENERATOR.OFFSET", c.AnchorOffset, "0 to 1")
	}
	if c.HiddenChannels != -1 {
		k.within("PROPOSAL_GENERATOR.HIDDEN_CHANNELS", c.HiddenChannels, 1, maxChannels)
	}
	if !(c.MinBoxSize >= 0 && c.MinBoxSize <= maxSide) {
		k.wrong("PROPOSAL_GENERATOR.MIN_SIZE", c.MinBoxSize, "0 or more")
	}
	k.within("RPN.PRE_NMS_TOPK_TEST", c.PreNMS, 1, 1<<24)
	k.within("RPN.POST_NMS_TOPK_TEST", c.PostNMS, 1, maxProposals)
	k.thresholds("RPN.NMS_THRESH", c.RPNThreshold)
	k.within("ROI_HEADS.NUM_CLASSES", c.NumClasses, 1, maxClasses)
	k.within("ROI_BOX_HEAD.NUM_ATTRS", c.NumAttrs, 0, maxClasses)
	k.within("ROI_BOX_HEAD.POOLER_RESOLUTION", c.PoolerResolution, 1, maxResolution)
	if !c.Res5Halve && !c.StrideIn1x1 {
		k.wrong("RESNETS.STRIDE_IN_1X1", false, "true, where ROI_BOX_HEAD.RES5HALVE is false: the fifth stage would still halve in its 3×3 convolution, but not beside it")
	}
	if len(c.Thresholds) == 0 {
		k.wrong("ROI_HEADS.NMS_THRESH_TEST", "none", "a threshold, or a list of them")
	}
	k.thresholds("ROI_HEADS.NMS_THRESH_TEST", c.Thresholds...)
	k.within("MIN_DETECTIONS", c.MinDetections, 0, maxProposals)
	k.within("MAX_DETECTIONS", c.MaxDetections, max(1, c.MinDetections), maxProposals)
	k.weights("RPN.BBOX_REG_WEIGHTS", c.RPNWeights)
	k.weights("ROI_BOX_HEAD.BBOX_REG_WEIGHTS", c.BoxWeights)
	for i, v := range c.PixelStd {
		if !(v > 0) || math.IsInf(float64(v), 0) || !finite(c.PixelMean[i]) {
			k.wrong("MODEL.PIXEL_MEAN, PIXEL_STD", fmt.Sprint(c.PixelMean, c.PixelStd), "finite numbers, and no deviation of 0")
			break
		}
	}
	if !finite(c.PadValue) {
		k.wrong("PAD_VALUE", c.PadValue, "a finite number")
	}
	return errors.Join(k.errs...)
}

func finite(v float32) bool { return v-v == 0 }

// A checker gathers what is wrong.
type checker struct{ errs []error }

func (k *checker) wrong(key string, found any, want string) {
	k.errs = append(k.errs, fmt.Errorf("%s: found %v, want %s", key, found, want))
}

func (k *checker) within(key string, v, least, most int) {
	if v < least || v > most {
		k.wrong(key, v, fmt.Sprintf("%d to %d", least, most))
	}
}

func (k *checker) positive(key string, values ...float64) {
	for _, v := range values {
		if !(v > 0) || math.IsInf(v, 0) {
			k.wrong(key, v, "a number above 0")
			return
		}
	}
}

func (k *checker) thresholds(key string, values ...float64) {
	for _, v := range values {
		if !(v >= 0 && v <= 1) {
			k.wrong(key, v, "0 to 1")
			return
		}
	}
}

func (k *checker) weights(key string, values [4]float32) {
	for _, v := range values {
		if !(v > 0) || !finite(v) {
			k.wrong(key, values, "four numbers above 0")
			return
		}
	}
}
