#include "reference.h"

#include <math.h>
#include <string.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <vector>

namespace {

using namespace ostinato;

constexpr float INFINITE = std::numeric_limits<float>::infinity();
constexpr float MIN_NORMAL = std::numeric_limits<float>::min();

int32_t bitsOf(float v) {
    int32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

float floatOf(int32_t bits) {
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

int32_t wrapped(int64_t v) {
    return static_cast<int32_t>(static_cast<uint32_t>(v));
}

int32_t shiftedLeft(int32_t v, int count) {
    return static_cast<int32_t>(static_cast<uint32_t>(v) << count);
}

float flush(float v) {
    return fabsf(v) < MIN_NORMAL ? 0.f : v;
}

float fma(float a, float b, float c) {
    return fmaf(a, b, c);
}

// Elementary functions, as in dev.ostinato.kernels.scalar.Elementary.

constexpr float ROUND = 0x1.8p23f;
constexpr float LOG2_E = 0x1.715476p0f;
constexpr float LN2_HIGH = 0x1.62e43p-1f;
constexpr float LN2_REST = 0x1.05c61p-29f;
constexpr float EXP_2 = 0x1.fffffcp-2f;
constexpr float EXP_3 = 0x1.555492p-3f;
constexpr float EXP_4 = 0x1.5558aap-5f;
constexpr float EXP_5 = 0x1.12396ep-7f;
constexpr float EXP_6 = 0x1.6a523ep-10f;

float negativeAbsolute(float v) {
    return floatOf(bitsOf(v) | INT32_MIN);
}

float expRest(float x, float t) {
    const float n = t - (ROUND + 254);
    return fma(n, LN2_REST, fma(n, -LN2_HIGH, x));
}

float expOfRest(float r) {
    float p = fma(EXP_6, r, EXP_5);
    p = fma(p, r, EXP_4);
    p = fma(p, r, EXP_3);
    p = fma(p, r, EXP_2);
    p = fma(p, r, 1.f);
    return fma(p, r, 1.f);
}

float expScaled(float p, float t) {
    const uint32_t bits = static_cast<uint32_t>(bitsOf(t));
    const uint32_t half = bits >> 1;
    p = p * floatOf(static_cast<int32_t>(half << 23));
    return p * floatOf(static_cast<int32_t>((bits - half) << 23));
}

float expOf(float x) {
    x = x > 89.f ? 89.f : x;
    x = x < -104.f ? -104.f : x;
    const float t = fma(x, LOG2_E, ROUND + 254);
    return expScaled(expOfRest(expRest(x, t)), t);
}

float polynomial(float x, std::initializer_list<float> highestFirst) {
    float p = 0.f;
    for (float coefficient : highestFirst) {
        p = fma(p, x, coefficient);
    }
    return p;
}

float logOnePlus(float f) {
    const float q = polynomial(f, {-0x1.07c894p-3f, 0x1.1e678cp-3f, -0x1.f332f8p-4f, 0x1.1ed662p-3f, -0x1.559c44p-3f, 0x1.99d044p-3f,
                                   -0x1.fffefcp-3f, 0x1.555506p-2f, -0.5f});
    return fma(q, f * f, f);
}

float logOf(float x) {
    const bool subnormal = x < MIN_NORMAL;
    const float y = subnormal ? x * 0x1p23f : x;
    const float bias = subnormal ? ROUND + 23 : ROUND;
    const int32_t bits = bitsOf(y);
    const int32_t offset = wrapped(static_cast<int64_t>(bits) - 0x3f2aaaab);
    const int32_t mantissa = wrapped(static_cast<int64_t>(bits) - (offset & static_cast<int32_t>(0xff800000)));
    const float e = floatOf((offset >> 23) + 0x4b400000) - bias;
    const float f = floatOf(mantissa) - 1.f;
    float q = logOnePlus(f);
    q = fma(e, LN2_HIGH, q);
    q = x < INFINITE ? q : x;
    q = x < 0.f ? NAN : q;
    return x == 0.f ? -INFINITE : q;
}

float tanhOf(float x) {
    const int32_t sign = bitsOf(x) & INT32_MIN;
    float a = fabsf(x);
    a = a > 10.f ? 10.f : a;
    const float t = fma(a, 2 * LOG2_E, ROUND + 127);
    const float n = t - (ROUND + 127);
    const float r = fma(n, -LN2_HIGH / 2, a);
    const float s = floatOf(shiftedLeft(bitsOf(t), 23));
    const float g = fma(s, 0.5f, -0.5f);
    const float u = r * r;
    const float v = fma(fma(u, -0x1.6a96e4p-6f, 0x1.555536p-2f), u, 1.f);
    const float d = v - r;
    const float m = fma(g, d, s * r);
    return floatOf(bitsOf(m / (m + d)) | sign);
}

// e^-r - 1 but for the product with r.
float expMinusOne(float r) {
    return polynomial(r, {EXP_6, -EXP_5, EXP_4, -EXP_3, EXP_2});
}

float logisticDivisor(float x, float bias, float scale) {
    const float t = fma(x, -LOG2_E, bias);
    const float n = t - bias;
    const float r = fma(n, -LN2_REST, fma(n, LN2_HIGH, x));
    const float s = floatOf(shiftedLeft(bitsOf(t), 23));
    return fma(s, fma(expMinusOne(r), r, -1.f) * r, scale) + s;
}

float sigmoidOf(float x) {
    x = x > 20.f ? 20.f : x;
    x = x < -104.f ? -104.f : x;
    return 0x1p-32f / logisticDivisor(x, ROUND + 95, 0x1p-32f);
}

float siluOf(float x) {
    x = x < -110.f ? -110.f : x;
    const float scale = x < -64.f ? 0x1p-32f : 1.f;
    return x * scale / logisticDivisor(x > 20.f ? 20.f : x, x < -64.f ? ROUND + 95 : ROUND + 127, scale);
}

float softplusOf(float x) {
    const float e = expOf(negativeAbsolute(x));
    const float q = e > 0x1.555556p-2f ? logOnePlus(fma(e, 0.5f, -0.5f)) + LN2_HIGH : logOnePlus(e);
    return (x < 0.f ? 0.f : x) + q;
}

constexpr float ERF_0 = 0x1.20dd76p0f;

float erfOf(float x) {
    const float a = fabsf(x) > 4.f ? 4.f : fabsf(x);
    float w = polynomial(a, {-0x1.396f5cp-17f, 0x1.f0ba14p-14f, -0x1.4d5356p-11f, 0x1.b679c8p-10f, -0x1.5ce0d2p-13f, -0x1.39bf3ap-6f,
                             0x1.a4f94ap-4f, 0x1.45f2fep-1f, -0x1.f7ac92p-25f});
    w = fma(a, ERF_0, w * a);
    const float t = fma(w, -LOG2_E, ROUND + 127);
    const float n = t - (ROUND + 127);
    const float r = fma(n, -LN2_REST, fma(n, LN2_HIGH, w));
    const float s = floatOf(shiftedLeft(bitsOf(t), 23));
    const float p = fma(expMinusOne(r), r * r, -r);
    return floatOf(bitsOf(fma(-s, p, 1.f - s)) | (bitsOf(x) & INT32_MIN));
}

float tailNumerator(float a) {
    return polynomial(a, {0x1.0e23cp-8f, 0x1.4d507cp-5f, 0x1.77a514p-3f, 0x1.c11b7p-2f, 0.5f});
}

float tailDivisor(float a) {
    return polynomial(a, {0x1.5290ecp-7f, 0x1.a1c5fp-4f, 0x1.e13b2cp-2f, 0x1.340d8p0f, 0x1.accfe6p0f, 1.f});
}

// e^(-ab) without 2^n, which is left to t.
float expOfProduct(float a, float b, float* t) {
    const float x = -(a * b);
    *t = fma(x, LOG2_E, ROUND + 254);
    return expOfRest(expRest(x, *t) - fma(a, b, x));
}

float geluOf(float x) {
    const float a = fabsf(x) > 14.75f ? 14.75f : fabsf(x);
    float t;
    const float p = expOfProduct(a, 0.5f * a, &t);
    return (x < 0.f ? 0.f : x) - expScaled(p * (a * tailNumerator(a)) / tailDivisor(a), t);
}

float erfGradient(float x) {
    const float a = fabsf(x) > 10.25f ? 10.25f : fabsf(x);
    float t;
    const float p = expOfProduct(a, a, &t);
    return expScaled(p * ERF_0, t);
}

float geluGradient(float x) {
    const float a = fabsf(x) > 14.75f ? 14.75f : fabsf(x);
    float t;
    const float p = expOfProduct(a, 0.5f * a, &t);
    const float q = tailDivisor(a);
    const float d = expScaled(p * fma(a * -0x1.988454p-2f, q, tailNumerator(a)) / q, t);
    return x < 0.f ? d : 1.f - d;
}

float siluGradient(float x) {
    float a = negativeAbsolute(x);
    a = a < -110.f ? -110.f : a;
    const float t = fma(a, LOG2_E, ROUND + 254);
    const float p = expOfRest(expRest(a, t));
    const float u = 1.f + expScaled(p, t);
    const float d = expScaled(p * (u + a) / (u * u), t);
    return x < 0.f ? d : 1.f - d;
}

// Views.

float& at(const Matrix& matrix, int64_t r, int64_t j) {
    return matrix.data[r * matrix.stride + j];
}

int blocksOfUnits(const Packed& w) {
    return (w.units + BLOCK - 1) / BLOCK;
}

// The weight of an input for an output of the row [gate][padded units].
float& at(const Packed& w, int64_t input, int output) {
    const int gate = output / (blocksOfUnits(w) * BLOCK);
    const int unitBlock = output / BLOCK % blocksOfUnits(w);
    const int perPanel = w.gates > 1 ? 1 : PLAIN_BLOCKS;
    const int panel = unitBlock / perPanel;
    const int panelCount = (blocksOfUnits(w) + perPanel - 1) / perPanel;
    const int width = w.gates > 1 ? w.gates : std::min(PLAIN_BLOCKS, blocksOfUnits(w) - panel * PLAIN_BLOCKS);
    const int block = w.gates > 1 ? gate : unitBlock % PLAIN_BLOCKS;
    float* start = panel == panelCount - 1 ? w.last : w.first + panel * w.panelStride;
    return start[(input * width + block) * BLOCK + output % BLOCK];
}

int outputs(const Packed& w) {
    return w.gates * blocksOfUnits(w) * BLOCK;
}

// Sixteen strided partial results.
struct Partials {
    float p[BLOCK];

    explicit Partials(float start) {
        std::fill(p, p + BLOCK, start);
    }

    template <typename Combine>
    float tree(Combine combine) {
        for (int half = BLOCK / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) {
                p[i] = combine(p[i], p[i + half]);
            }
        }
        return p[0];
    }

    float sum() {
        return tree([](float a, float b) { return a + b; });
    }
};

float maximum(const Matrix& x, int r) {
    Partials partials(-INFINITE);
    for (int j = 0; j < x.columns; j++) {
        float& p = partials.p[j % BLOCK];
        p = at(x, r, j) > p ? at(x, r, j) : p;
    }
    return partials.tree([](float a, float b) { return b > a ? b : a; });
}

// The kernels.

void multiplyAdd(Matrix a, Packed w, Matrix out) {
    for (int r = 0; r < a.rows; r++) {
        for (int j = 0; j < outputs(w); j++) {
            for (int k = 0; k < w.inputs; k++) {
                at(out, r, j) = fma(at(a, r, k), at(w, k, j), at(out, r, j));
            }
        }
    }
}

// The words of narrow weights are at the places of floats; bits of what is at one.
uint32_t wordAt(const Packed& w, int64_t input, int output) {
    return static_cast<uint32_t>(bitsOf(at(w, input, output)));
}

void multiplyAddBf16(Matrix a, Packed w, Matrix out) {
    for (int r = 0; r < a.rows; r++) {
        for (int j = 0; j < outputs(w); j++) {
            for (int k = 0; k < a.columns; k++) {
                const uint32_t word = wordAt(w, k / 2, j);
                const uint32_t half = k % 2 == 0 ? word & 0xffff : word >> 16;
                at(out, r, j) = fma(at(a, r, k), floatOf(static_cast<int32_t>(half << 16)), at(out, r, j));
            }
        }
    }
}

void quantize(int32_t scaling, Matrix x, Quantized q) {
    for (int r = 0; r < x.rows; r++) {
        float largest = 0;
        bool number = true;
        for (int k = 0; k < x.columns; k++) {
            number = number && !isnan(at(x, r, k));
            largest = std::max(largest, fabsf(at(x, r, k)));
        }
        float factor = 0;
        if (!number || largest > std::numeric_limits<float>::max()) {
            q.scales[r] = NAN;
        } else if (scaling == SCALING_UNIT && largest <= 1.f) {
            q.scales[r] = 1.f / 127;
            factor = 127;
        } else {
            q.scales[r] = largest < 0x1p-119f ? 0.f : largest / 127;
            factor = largest < 0x1p-119f ? 0.f : 127 / largest;
        }
        for (int k = 0; k < x.columns; k++) {
            // Exact in double: 24 bits by 24 bits. The current rounding is to nearest, ties to even.
            const double level = isnan(q.scales[r]) ? 0 : nearbyint(static_cast<double>(at(x, r, k)) * static_cast<double>(factor));
            q.data[r * q.stride + k] = static_cast<uint8_t>(128 + static_cast<int>(level));
        }
    }
}

void multiplyAddInt8(Quantized a, Weights w, Matrix out) {
    for (int r = 0; r < a.rows; r++) {
        for (int j = 0; j < outputs(w.words); j++) {
            int64_t sum = -static_cast<int64_t>(bitsOf(w.offsets[j]));
            for (int k = 0; k < 4 * w.words.inputs; k++) {
                const auto weight = static_cast<int8_t>(wordAt(w.words, k / 4, j) >> (k % 4 * 8));
                sum += static_cast<int64_t>(a.data[r * a.stride + k]) * weight;
            }
            at(out, r, j) = fma(static_cast<float>(wrapped(sum)), a.scales[r] * w.scales[j], at(out, r, j));
        }
    }
}

void weightGradient(Matrix a, Matrix dz, Packed dw) {
    for (int r = a.rows - 1; r >= 0; r--) {
        for (int k = 0; k < dw.inputs; k++) {
            for (int j = 0; j < outputs(dw); j++) {
                at(dw, k, j) = fma(at(a, r, k), at(dz, r, j), at(dw, k, j));
            }
        }
    }
}

void columnSums(Matrix x, Matrix sums) {
    for (int r = x.rows - 1; r >= 0; r--) {
        for (int j = 0; j < x.columns; j++) {
            at(sums, 0, j) += at(x, r, j);
        }
    }
}

void scatterAdd(Matrix x, Indices indices, Matrix table) {
    for (int r = x.rows - 1; r >= 0; r--) {
        for (int j = 0; j < x.columns; j++) {
            at(table, indices.data[r], j) += at(x, r, j);
        }
    }
}

void addInputs(Packed w, Indices indices, Matrix out) {
    for (int r = 0; r < out.rows; r++) {
        for (int j = 0; j < outputs(w); j++) {
            at(out, r, j) += at(w, indices.data[r], j);
        }
    }
}

void scatterAddInputs(Matrix dz, Indices indices, Packed dw) {
    for (int r = dz.rows - 1; r >= 0; r--) {
        for (int j = 0; j < outputs(dw); j++) {
            at(dw, indices.data[r], j) += at(dz, r, j);
        }
    }
}

template <typename Body>
void each(const Matrix& shape, Body body) {
    for (int r = 0; r < shape.rows; r++) {
        for (int j = 0; j < shape.columns; j++) {
            body(r, j);
        }
    }
}

float clipped(float v, float clip) {
    v = v > clip ? clip : v;
    return v < -clip ? -clip : v;
}

float activate(const Activation& f, float z) {
    z = clipped(z, f.clip);
    switch (f.kind) {
        case ACTIVATION_TANH:
            return tanhOf(z);
        case ACTIVATION_RELU:
            return z <= 0 ? 0.f : z;
        case ACTIVATION_SIGMOID:
            return sigmoidOf(z);
        case ACTIVATION_SOFTSIGN:
            return z / (1.f + fabsf(z));
        case ACTIVATION_SOFTPLUS:
            return softplusOf(z);
        case ACTIVATION_AFFINE:
            return fma(f.alpha, z, f.beta);
        case ACTIVATION_LEAKY_RELU:
            return z < 0 ? f.alpha * z : z;
        case ACTIVATION_THRESHOLDED_RELU:
            return z <= f.alpha ? 0.f : z;
        case ACTIVATION_SCALED_TANH:
            return f.alpha * tanhOf(f.beta * z);
        case ACTIVATION_HARD_SIGMOID: {
            const float v = fma(f.alpha, z, f.beta);
            return v > 1 ? 1.f : v < 0 ? 0.f : v;
        }
        case ACTIVATION_ELU: {
            const float t = tanhOf(z * 0.5f);
            return z < 0 ? f.alpha * ((t + t) / (1.f - t)) : z;
        }
        default:
            return z;
    }
}

float slope(const Activation& f, float y) {
    if (!isinf(f.clip) && (y == activate(f, f.clip) || y == activate(f, -f.clip))) {
        return 0;
    }
    switch (f.kind) {
        case ACTIVATION_TANH:
            return fma(-y, y, 1.f);
        case ACTIVATION_RELU:
        case ACTIVATION_THRESHOLDED_RELU:
            return y > 0 ? 1.f : 0.f;
        case ACTIVATION_SIGMOID:
            return y * (1.f - y);
        case ACTIVATION_SOFTSIGN:
            return (1.f - fabsf(y)) * (1.f - fabsf(y));
        case ACTIVATION_SOFTPLUS: {
            const float t = tanhOf(y * 0.5f);
            return (t + t) / (1.f + t);
        }
        case ACTIVATION_AFFINE:
            return f.alpha;
        case ACTIVATION_LEAKY_RELU:
            return y > 0 ? 1.f : f.alpha;
        case ACTIVATION_SCALED_TANH:
            return fma(-(y * (f.beta / f.alpha)), y, f.alpha * f.beta);
        case ACTIVATION_HARD_SIGMOID:
            return y > 0 && y < 1 ? f.alpha : 0.f;
        case ACTIVATION_ELU:
            return y > 0 ? 1.f : y + f.alpha;
        default:
            return 1;
    }
}

void rnnForward(Activation f, Matrix z, Matrix h) {
    each(h, [&](int r, int j) { at(h, r, j) = flush(activate(f, at(z, r, j))); });
}

void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
    each(h, [&](int r, int j) { at(dz, r, j) = flush(at(dh, r, j)) * slope(f, at(h, r, j)); });
}

float seen(const Matrix& peepholes, int row, int j, float c, float z) {
    return peepholes.rows > 0 ? fma(at(peepholes, row, j), c, z) : z;
}

void lstmForward(Activation gates, Activation candidate, Activation output, float cellClip, Matrix p, Matrix z, Matrix cPrevious, Matrix c,
                 Matrix h) {
    const int n = h.columns;
    const bool coupled = n > 0 && z.columns == 3 * n;
    each(h, [&](int r, int j) {
        const int last = coupled ? 2 * n : 3 * n;
        const float before = at(cPrevious, r, j);
        float& i = at(z, r, j);
        float& g = at(z, r, last - n + j);
        float& o = at(z, r, last + j);
        i = activate(gates, seen(p, 0, j, before, i));
        float f = 1.f - i;
        if (!coupled) {
            f = activate(gates, seen(p, 1, j, before, at(z, r, n + j)));
            at(z, r, n + j) = f;
        }
        g = activate(candidate, g);
        at(c, r, j) = clipped(flush(fma(f, before, i * g)), cellClip);
        o = activate(gates, seen(p, p.rows - 1, j, at(c, r, j), o));
        at(h, r, j) = flush(o * activate(output, at(c, r, j)));
    });
}

void lstmBackward(Activation gates, Activation candidate, Activation output, float cellClip, Matrix p, Matrix z, Matrix cPrevious, Matrix c,
                  Matrix dh, Matrix dc) {
    const int n = c.columns;
    const bool coupled = n > 0 && z.columns == 3 * n;
    each(c, [&](int r, int j) {
        const int last = coupled ? 2 * n : 3 * n;
        const float before = at(cPrevious, r, j);
        const float i = at(z, r, j);
        const float f = coupled ? 1.f - i : at(z, r, n + j);
        const float g = at(z, r, last - n + j);
        const float o = at(z, r, last + j);
        const float t = activate(output, at(c, r, j));
        const float d = flush(at(dh, r, j));
        const float dO = (d * t) * slope(gates, o);
        const float seenCell = fma(d * o, slope(output, t), at(dc, r, j));
        float cell = flush(p.rows > 0 ? fma(dO, at(p, p.rows - 1, j), seenCell) : seenCell);
        cell = !isinf(cellClip) && fabsf(at(c, r, j)) >= cellClip ? 0.f : cell;
        const float dI = (cell * (coupled ? g - before : g)) * slope(gates, i);
        float previous = cell * f;
        previous = p.rows > 0 ? fma(dI, at(p, 0, j), previous) : previous;
        if (!coupled) {
            const float dF = (cell * before) * slope(gates, f);
            previous = p.rows > 0 ? fma(dF, at(p, 1, j), previous) : previous;
            at(z, r, n + j) = dF;
        }
        at(z, r, j) = dI;
        at(z, r, last - n + j) = (cell * i) * slope(candidate, g);
        at(z, r, last + j) = dO;
        at(dc, r, j) = flush(previous);
    });
}

void gruForward(Activation gates, Activation candidate, Matrix z, Matrix hPrevious, Matrix h) {
    const int units = h.columns;
    each(h, [&](int r, int j) {
        const float reset = activate(gates, at(z, r, units + j));
        const float u = activate(gates, at(z, r, 2 * units + j));
        const float n = activate(candidate, fma(reset, at(z, r, 3 * units + j), at(z, r, j)));
        at(z, r, j) = n;
        at(z, r, units + j) = reset;
        at(z, r, 2 * units + j) = u;
        at(h, r, j) = flush(fma(u, at(hPrevious, r, j) - n, n));
    });
}

void gruBackward(Activation gates, Activation candidate, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
    const int units = dh.columns;
    each(dh, [&](int r, int j) {
        const float n = at(z, r, j);
        const float reset = at(z, r, units + j);
        const float u = at(z, r, 2 * units + j);
        const float m = at(z, r, 3 * units + j);
        const float d = flush(at(dh, r, j));
        const float dn = (d * (1.f - u)) * slope(candidate, n);
        at(z, r, j) = dn;
        at(z, r, units + j) = (dn * m) * slope(gates, reset);
        at(z, r, 2 * units + j) = (d * (at(hPrevious, r, j) - n)) * slope(gates, u);
        at(z, r, 3 * units + j) = dn * reset;
        at(dhPrevious, r, j) = fma(d, u, at(dhPrevious, r, j));
    });
}

void gruResetForward(Activation gates, Matrix z, Matrix hPrevious) {
    const int units = hPrevious.columns;
    each(hPrevious, [&](int r, int j) {
        at(z, r, j) = activate(gates, at(z, r, j));
        at(z, r, units + j) = activate(gates, at(z, r, units + j));
        at(z, r, 3 * units + j) = at(z, r, j) * at(hPrevious, r, j);
    });
}

void gruMixForward(Activation candidate, Matrix z, Matrix hPrevious, Matrix h) {
    const int units = h.columns;
    each(h, [&](int r, int j) {
        const float n = activate(candidate, at(z, r, 2 * units + j));
        at(z, r, 2 * units + j) = n;
        at(h, r, j) = flush(fma(at(z, r, units + j), at(hPrevious, r, j) - n, n));
    });
}

void gruMixBackward(Activation gates, Activation candidate, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
    const int units = dh.columns;
    each(dh, [&](int r, int j) {
        const float u = at(z, r, units + j);
        const float n = at(z, r, 2 * units + j);
        const float d = flush(at(dh, r, j));
        at(z, r, units + j) = (d * (at(hPrevious, r, j) - n)) * slope(gates, u);
        at(z, r, 2 * units + j) = (d * (1.f - u)) * slope(candidate, n);
        at(dhPrevious, r, j) = fma(d, u, at(dhPrevious, r, j));
    });
}

void gruResetBackward(Activation gates, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
    each(ds, [&](int r, int j) {
        const float reset = at(z, r, j);
        const float d = at(ds, r, j);
        at(z, r, j) = (d * at(hPrevious, r, j)) * slope(gates, reset);
        at(dhPrevious, r, j) = fma(d, reset, at(dhPrevious, r, j));
    });
}

void minGruForward(Matrix z, Matrix hPrevious, Matrix h) {
    const int n = h.columns;
    each(h, [&](int r, int j) {
        const float before = at(hPrevious, r, j);
        at(z, r, j) = sigmoidOf(at(z, r, j));
        at(h, r, j) = flush(fma(at(z, r, j), at(z, r, n + j) - before, before));
    });
}

void minGruBackward(Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
    const int n = dh.columns;
    each(dh, [&](int r, int j) {
        const float u = at(z, r, j);
        const float d = flush(at(dh, r, j));
        at(z, r, j) = (d * (at(z, r, n + j) - at(hPrevious, r, j))) * (u * (1.f - u));
        at(z, r, n + j) = d * u;
        at(dhPrevious, r, j) = fma(d, 1.f - u, at(dhPrevious, r, j));
    });
}

void lstmCellForward(Matrix z, Matrix cPrevious, Matrix c) {
    const int n = c.columns;
    each(c, [&](int r, int j) {
        for (int gate = 0; gate < 4; gate++) {
            float& v = at(z, r, gate * n + j);
            v = gate == 2 ? tanhOf(v) : sigmoidOf(v);
        }
        at(c, r, j) = flush(fma(at(z, r, n + j), at(cPrevious, r, j), at(z, r, j) * at(z, r, 2 * n + j)));
    });
}

void lstmOutputForward(Matrix z, Matrix m, Matrix h) {
    each(h, [&](int r, int j) { at(h, r, j) = flush(at(z, r, 3 * h.columns + j) * tanhOf(at(m, r, j))); });
}

void lstmOutputBackward(Matrix z, Matrix m, Matrix dh, Matrix dm) {
    each(dh, [&](int r, int j) {
        const float o = at(z, r, 3 * dh.columns + j);
        const float t = tanhOf(at(m, r, j));
        const float d = flush(at(dh, r, j));
        at(z, r, 3 * dh.columns + j) = (d * t) * (o * (1.f - o));
        at(dm, r, j) = (d * o) * fma(-t, t, 1.f);
    });
}

void lstmCellBackward(Matrix z, Matrix cPrevious, Matrix dc) {
    const int n = dc.columns;
    each(dc, [&](int r, int j) {
        const float i = at(z, r, j);
        const float f = at(z, r, n + j);
        const float g = at(z, r, 2 * n + j);
        const float d = flush(at(dc, r, j));
        at(z, r, j) = (d * g) * (i * (1.f - i));
        at(z, r, n + j) = (d * at(cPrevious, r, j)) * (f * (1.f - f));
        at(z, r, 2 * n + j) = (d * i) * fma(-g, g, 1.f);
        at(dc, r, j) = flush(d * f);
    });
}

void addScaled(Matrix x, Matrix factors, Matrix y) {
    each(x, [&](int r, int j) { at(y, r, j) = fma(at(x, r, j), at(factors, 0, j), at(y, r, j)); });
}

void columnDots(Matrix x, Matrix y, Matrix sums) {
    for (int r = x.rows - 1; r >= 0; r--) {
        for (int j = 0; j < x.columns; j++) {
            at(sums, 0, j) = fma(at(x, r, j), at(y, r, j), at(sums, 0, j));
        }
    }
}

// Steps as their definition says: start, both products, the cell; z is thrown away.

// z += a W, by the kernels above.
void multiplyAddAny(int32_t precision, int32_t scaling, Matrix a, const Weights& w, Matrix z) {
    if (precision == PRECISION_F32) {
        multiplyAdd(a, w.words, z);
    } else if (precision == PRECISION_BF16) {
        multiplyAddBf16(a, w.words, z);
    } else {
        const int64_t stride = 4 * w.words.inputs;
        std::vector<uint8_t> levels(static_cast<size_t>(a.rows * stride));
        std::vector<float> scales(static_cast<size_t>(a.rows));
        const Quantized q = {levels.data(), scales.data(), stride, a.rows, a.columns};
        quantize(scaling, a, q);
        multiplyAddInt8(q, w, z);
    }
}

// A share of the columns of the four slots of rows, or of one.
template <typename Body>
void eachShare(const Packed& u, int from, int to, int width, Body body) {
    const int panelWidth = u.gates > 1 ? BLOCK : PLAIN_BLOCKS * BLOCK;
    for (int j = from * panelWidth; j < std::min(to * panelWidth, width); j++) {
        body(j);
    }
}

// `slots` of z, of which U fills those from `stateSlot` on. The whole step is computed, and the share of the panels copied to where it belongs.
template <typename Cell>
void steps(int slots, int stateSlot, int32_t precision, int32_t stateScaling, Matrix start, Matrix x, const Weights& w, Matrix hPrevious,
           const Weights& u, int from, int to, Matrix h, Cell cell) {
    const int streams = hPrevious.rows;
    const int units = h.columns;
    std::vector<float> room(static_cast<size_t>(streams) * static_cast<size_t>(slots * units));
    std::vector<float> states(static_cast<size_t>(streams) * static_cast<size_t>(units));
    for (int first = 0; first < h.rows; first += streams) {
        const Matrix z = {room.data(), slots * units, streams, slots * units};
        each(z, [&](int r, int j) { at(z, r, j) = at(start, start.rows == 1 ? 0 : first + r, j); });
        if (x.columns > 0) {
            multiplyAddAny(precision, SCALING_ROW, {x.data + first * x.stride, x.stride, streams, x.columns}, w, z);
        }
        const int inputs = std::min(hPrevious.columns, static_cast<int>(u.words.units));
        if (inputs > 0) {
            multiplyAddAny(precision, stateScaling, {hPrevious.data, hPrevious.stride, streams, inputs}, u,
                           {z.data + stateSlot * units, z.stride, streams, z.columns});
        }
        const Matrix all = {states.data(), units, streams, units};
        cell(z, hPrevious, all);
        const Matrix next = {h.data + first * h.stride, h.stride, streams, units};
        for (int r = 0; r < streams; r++) {
            eachShare(u.words, from, to, units, [&](int j) { at(next, r, j) = at(all, r, j); });
        }
        hPrevious = next;
    }
}

void rnnSteps(Activation f, int32_t precision, int32_t stateScaling, Matrix start, Matrix x, Weights w, Matrix hPrevious, Weights u, int32_t,
              int32_t from, int32_t to, Matrix, Matrix h) {
    steps(1, 0, precision, stateScaling, start, x, w, hPrevious, u, from, to, h,
          [=](Matrix z, Matrix, Matrix next) { rnnForward(f, z, next); });
}

void lstmVariantSteps(Activation gates, Activation candidate, Activation output, float cellClip, Matrix peepholes, int32_t precision,
               int32_t stateScaling, Matrix start, Matrix x, Weights w, Matrix hPrevious, Weights u, int32_t, int32_t from, int32_t to, Matrix,
               Matrix c, Matrix h) {
    std::vector<float> room(static_cast<size_t>(c.rows) * static_cast<size_t>(c.columns));
    const Matrix all = {room.data(), c.columns, c.rows, c.columns};
    steps(u.words.gates, 0, precision, stateScaling, start, x, w, hPrevious, u, from, to, h, [&](Matrix z, Matrix, Matrix next) {
        lstmForward(gates, candidate, output, cellClip, peepholes, z, c, all, next);
        for (int r = 0; r < c.rows; r++) {
            eachShare(u.words, from, to, c.columns, [&](int j) { at(c, r, j) = at(all, r, j); });
        }
    });
}

void gruVariantSteps(Activation gates, Activation candidate, int32_t precision, int32_t stateScaling, Matrix start, Matrix x, Weights w,
              Matrix hPrevious, Weights u, int32_t, int32_t from, int32_t to, Matrix, Matrix h) {
    steps(4, 1, precision, stateScaling, start, x, w, hPrevious, u, from, to, h,
          [=](Matrix z, Matrix previous, Matrix next) { gruForward(gates, candidate, z, previous, next); });
}

const Activation SIGMOID = {ACTIVATION_SIGMOID, 0, 0, INFINITY};
const Activation TANH = {ACTIVATION_TANH, 0, 0, INFINITY};

void lstmSteps(int32_t precision, Matrix start, Matrix x, Weights w, Matrix hPrevious, Weights u, int32_t descending, int32_t from, int32_t to,
               Matrix scratch, Matrix c, Matrix h) {
    const int scaling = hPrevious.columns < u.words.units ? SCALING_ROW : SCALING_UNIT; // a projected state may be beyond 1
    lstmVariantSteps(SIGMOID, TANH, TANH, INFINITY, {}, precision, scaling, start, x, w, hPrevious, u, descending, from, to, scratch, c, h);
}

void gruSteps(int32_t precision, Matrix start, Matrix x, Weights w, Matrix hPrevious, Weights u, int32_t descending, int32_t from, int32_t to,
              Matrix scratch, Matrix h) {
    gruVariantSteps(SIGMOID, TANH, precision, SCALING_UNIT, start, x, w, hPrevious, u, descending, from, to, scratch, h);
}

float valueOf(int32_t function, float x) {
    switch (function) {
        case FUNCTION_EXP:
            return expOf(x);
        case FUNCTION_LOG:
            return logOf(x);
        case FUNCTION_TANH:
            return tanhOf(x);
        case FUNCTION_SIGMOID:
            return sigmoidOf(x);
        case FUNCTION_SOFTPLUS:
            return softplusOf(x);
        case FUNCTION_ERF:
            return erfOf(x);
        case FUNCTION_GELU:
            return geluOf(x);
        default:
            return siluOf(x);
    }
}

float gradientOf(int32_t function, float v, float d) {
    switch (function) {
        case FUNCTION_EXP:
            return d * v;
        case FUNCTION_LOG:
            return d / v;
        case FUNCTION_TANH:
            return d * fma(-v, v, 1.f);
        case FUNCTION_SIGMOID:
            return d * (v * (1.f - v));
        case FUNCTION_SOFTPLUS:
            return d * sigmoidOf(v);
        case FUNCTION_ERF:
            return d * erfGradient(v);
        case FUNCTION_GELU:
            return d * geluGradient(v);
        default:
            return d * siluGradient(v);
    }
}

void apply(int32_t function, Matrix x, Matrix y) {
    each(x, [&](int r, int j) { at(y, r, j) = valueOf(function, at(x, r, j)); });
}

void applyBackward(int32_t function, Matrix v, Matrix dy, Matrix dx) {
    each(v, [&](int r, int j) { at(dx, r, j) = gradientOf(function, at(v, r, j), at(dy, r, j)); });
}

void scale(Matrix x, float factor) {
    each(x, [&](int r, int j) { at(x, r, j) *= factor; });
}

void multiply(Matrix x, Matrix y) {
    each(x, [&](int r, int j) { at(x, r, j) *= at(y, r, j); });
}

float sumOfSquares(Matrix x) {
    Partials partials(0.f);
    each(x, [&](int r, int j) { partials.p[j % BLOCK] = fma(at(x, r, j), at(x, r, j), partials.p[j % BLOCK]); });
    return partials.sum();
}

float softmaxRow(const Matrix& x, const Matrix& y, int r, float largest) {
    Partials partials(0.f);
    for (int j = 0; j < x.columns; j++) {
        at(y, r, j) = expOf(at(x, r, j) - largest);
        partials.p[j % BLOCK] += at(y, r, j);
    }
    const float sum = partials.sum();
    for (int j = 0; j < x.columns; j++) {
        at(y, r, j) /= sum;
    }
    return sum;
}

void softmax(Matrix x, Matrix y) {
    for (int r = 0; r < x.rows; r++) {
        softmaxRow(x, y, r, maximum(x, r));
    }
}

void logSoftmax(Matrix x, Matrix y) {
    for (int r = 0; r < x.rows; r++) {
        const float largest = maximum(x, r);
        Partials partials(0.f);
        for (int j = 0; j < x.columns; j++) {
            partials.p[j % BLOCK] += expOf(at(x, r, j) - largest);
        }
        const float logSum = logOf(partials.sum());
        for (int j = 0; j < x.columns; j++) {
            at(y, r, j) = (at(x, r, j) - largest) - logSum;
        }
    }
}

void axpy(float alpha, Matrix x, Matrix y) {
    each(x, [&](int r, int j) { at(y, r, j) = fma(alpha, at(x, r, j), at(y, r, j)); });
}

void partialSums(Matrix x, Matrix p) {
    each(x, [&](int r, int j) { at(p, r, j % BLOCK) += at(x, r, j); });
}

void partialDots(Matrix a, Matrix x, Matrix p) {
    each(a, [&](int r, int k) { at(p, r, k % BLOCK) = fma(at(a, r, k), at(x, 0, k), at(p, r, k % BLOCK)); });
}

void partialMaxima(Matrix x, Matrix p) {
    each(x, [&](int r, int j) { at(p, r, j % BLOCK) = at(x, r, j) > at(p, r, j % BLOCK) ? at(x, r, j) : at(p, r, j % BLOCK); });
}

void partialMinima(Matrix x, Matrix p) {
    each(x, [&](int r, int j) { at(p, r, j % BLOCK) = at(x, r, j) < at(p, r, j % BLOCK) ? at(x, r, j) : at(p, r, j % BLOCK); });
}

void gemm(int32_t transposeA, int32_t transposeB, float alpha, Matrix a, Matrix b, float beta, Matrix c, Matrix) {
    const int depth = transposeA ? a.rows : a.columns;
    each(c, [&](int i, int j) {
        float acc = beta == 0.f ? 0.f : beta * at(c, i, j);
        for (int k = 0; k < depth; k++) {
            const float left = transposeA ? at(a, k, i) : at(a, i, k);
            const float right = transposeB ? at(b, j, k) : at(b, k, j);
            acc = fma(alpha * left, right, acc);
        }
        at(c, i, j) = acc;
    });
}

void gemv(int32_t transpose, float alpha, Matrix a, Matrix x, float beta, Matrix y) {
    if (transpose) {
        gemm(0, 0, alpha, x, a, beta, y, {});
        return;
    }
    for (int i = 0; i < a.rows; i++) {
        Partials partials(0.f);
        for (int k = 0; k < a.columns; k++) {
            partials.p[k % BLOCK] = fma(at(a, i, k), at(x, 0, k), partials.p[k % BLOCK]);
        }
        const float total = partials.sum();
        at(y, 0, i) = beta == 0.f ? alpha * total : fma(alpha, total, beta * at(y, 0, i));
    }
}

// The mean of (x - first) - mean over a row.
float deviation(Matrix x, int r, float mean) {
    Partials sums(0.f);
    for (int j = 0; j < x.columns; j++) {
        sums.p[j % BLOCK] += (at(x, r, j) - at(x, r, 0)) - mean;
    }
    return sums.sum() / static_cast<float>(x.columns);
}

void layerNormForward(Matrix x, Matrix gain, Matrix bias, float epsilon, Matrix y, Matrix statistics) {
    const float count = static_cast<float>(x.columns);
    for (int r = 0; r < x.rows; r++) {
        const float first = at(x, r, 0);
        const float rough = deviation(x, r, 0.f);
        const float mean = rough + deviation(x, r, rough);
        Partials squares(0.f);
        for (int j = 0; j < x.columns; j++) {
            const float d = (at(x, r, j) - first) - mean;
            squares.p[j % BLOCK] = fma(d, d, squares.p[j % BLOCK]);
        }
        const float inverse = 1.f / sqrtf(squares.sum() / count + epsilon);
        for (int j = 0; j < x.columns; j++) {
            at(y, r, j) = fma(((at(x, r, j) - first) - mean) * inverse, at(gain, 0, j), at(bias, 0, j));
        }
        at(statistics, r, 0) = mean;
        at(statistics, r, 1) = inverse;
    }
}

void layerNormBackward(Matrix x, Matrix gain, Matrix statistics, Matrix dy, Matrix dx, Matrix dGain, Matrix dBias) {
    const float count = static_cast<float>(x.columns);
    for (int r = x.rows - 1; r >= 0; r--) {
        const float first = at(x, r, 0);
        const float mean = at(statistics, r, 0);
        const float inverse = at(statistics, r, 1);
        Partials plain(0.f);
        Partials weighted(0.f);
        for (int j = 0; j < x.columns; j++) {
            const float g = at(dy, r, j) * at(gain, 0, j);
            plain.p[j % BLOCK] += g;
            weighted.p[j % BLOCK] = fma(g, ((at(x, r, j) - first) - mean) * inverse, weighted.p[j % BLOCK]);
        }
        const float a = plain.sum() / count;
        const float b = weighted.sum() / count;
        for (int j = 0; j < x.columns; j++) {
            const float d = at(dy, r, j);
            const float n = ((at(x, r, j) - first) - mean) * inverse;
            at(dGain, 0, j) = fma(d, n, at(dGain, 0, j));
            at(dBias, 0, j) += d;
            at(dx, r, j) = fma(-n, b, d * at(gain, 0, j) - a) * inverse;
        }
    }
}

void crossEntropyForward(Matrix x, Indices targets, Matrix losses) {
    for (int r = 0; r < x.rows; r++) {
        const float largest = maximum(x, r);
        const float target = at(x, r, targets.data[r]) - largest;
        at(losses, r, 0) = logOf(softmaxRow(x, x, r, largest)) - target;
    }
}

void crossEntropyBackward(Matrix p, Indices targets, float factor) {
    each(p, [&](int r, int j) { at(p, r, j) = (j == targets.data[r] ? at(p, r, j) - 1.f : at(p, r, j)) * factor; });
}

void squaredError(Matrix y, Matrix target, Matrix losses, float lossFactor, float gradientFactor) {
    for (int r = 0; r < y.rows; r++) {
        Partials partials(0.f);
        for (int j = 0; j < y.columns; j++) {
            const float d = at(y, r, j) - at(target, r, j);
            partials.p[j % BLOCK] = fma(d, d, partials.p[j % BLOCK]);
            at(y, r, j) = d * gradientFactor;
        }
        at(losses, r, 0) = partials.sum() * lossFactor;
    }
}

void adam(Matrix w, Matrix dw, Matrix m, Matrix v, float gradientScale, float beta1, float oneMinusBeta1, float beta2,
          float oneMinusBeta2, float stepSize, float inverseRootCorrection, float epsilon) {
    each(w, [&](int r, int j) {
        const float d = at(dw, r, j) * gradientScale;
        const float first = flush(fma(beta1, at(m, r, j), oneMinusBeta1 * d));
        const float second = flush(fma(beta2, at(v, r, j), (oneMinusBeta2 * d) * d));
        at(m, r, j) = first;
        at(v, r, j) = second;
        at(w, r, j) = at(w, r, j) - (stepSize * first) / fma(sqrtf(second), inverseRootCorrection, epsilon);
    });
}

void sgd(Matrix w, Matrix dw, Matrix v, float gradientScale, float learningRate, float momentum) {
    each(w, [&](int r, int j) {
        at(v, r, j) = flush(fma(momentum, at(v, r, j), at(dw, r, j) * gradientScale));
        at(w, r, j) = fma(-learningRate, at(v, r, j), at(w, r, j));
    });
}

void probeReads(int32_t rounds, Matrix x, Matrix sums) {
    for (int j = 0; j < x.columns; j++) {
        for (int32_t r = 0; r < rounds; r++) {
            float& sum = at(sums, 0, j % BLOCK);
            sum = floatOf(wrapped(int64_t{bitsOf(sum)} + bitsOf(at(x, 0, j))));
        }
    }
}

void probeProducts(int32_t rounds, float factor, Matrix x) {
    for (int32_t r = 0; r < rounds; r++) {
        each(x, [&](int i, int j) { at(x, i, j) = fma(at(x, i, j), factor, factor); });
    }
}

}  // namespace

const ostinato::Table REFERENCE_TABLE = {
#define KERNEL(result, name, ...) name,
#include "kernels.def"
};
