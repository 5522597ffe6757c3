// Every kernel of every ISA that this processor has, against the plain loops of reference.cpp, bit by bit.
//
// Each operand ends where a page begins that nobody may touch, so that any access beyond it is a fault, also one that a sanitizer does not see,
// such as a masked load; what lies between its rows, and before it, holds NaNs and may not change.

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "isa.h"
#include "reference.h"

namespace ostinato {

extern const Table EMULATED16_TABLE;

}  // namespace ostinato

namespace {

using namespace ostinato;

const float MARGIN = NAN;

// The operands of one call; two instances with one seed hold the same bits in the same places.
class Operands {
public:
    Operands(unsigned seed, bool withExtremes) : random(seed), extreme(withExtremes) {}

    Matrix matrix(int rows, int columns) {
        const int64_t stride = columns + pick({0, 0, 1, 16});
        const int64_t size = rows == 0 ? 0 : (rows - 1) * stride + columns;
        float* data = block(size);
        for (int r = 0; r < rows; r++) {
            fill(data + r * stride, columns);
        }
        return {data, stride, rows, columns};
    }

    // A view that leaves out a few inputs at both ends, as the halves of a pair do.
    Packed packed(int inputs, int gates, int units) {
        const int before = pick({0, 1, 3});
        const int all = before + inputs + pick({0, 2});
        const int unitBlocks = (units + BLOCK - 1) / BLOCK;
        const int perPanel = gates > 1 ? gates : PLAIN_BLOCKS;
        const int panels = gates > 1 ? unitBlocks : (unitBlocks + PLAIN_BLOCKS - 1) / PLAIN_BLOCKS;
        const int lastWidth = gates > 1 ? gates : unitBlocks - (panels - 1) * PLAIN_BLOCKS;
        const int64_t panelStride = static_cast<int64_t>(all) * perPanel * BLOCK;
        const int64_t size = (panels - 1) * panelStride + static_cast<int64_t>(all) * lastWidth * BLOCK;
        float* data = block(size);
        fill(data, size);
        return {data + static_cast<int64_t>(before) * (panels == 1 ? lastWidth : perPanel) * BLOCK,
                data + (panels - 1) * panelStride + static_cast<int64_t>(before) * lastWidth * BLOCK,
                panelStride, inputs, gates, units};
    }

    // Rows of random bytes, all of each row's stride, with scales.
    Quantized quantized(int rows, int columns) {
        const int64_t stride = (columns + 63) / 64 * 64;
        float* data = block(rows * stride / 4);
        fillBits(data, rows * stride / 4);
        return {reinterpret_cast<uint8_t*>(data), matrix(1, rows).data, stride, rows, columns};
    }

    // Words of random bits, with scales and offsets; in the test of a real matrix the offsets fit the weights, here they need not.
    Weights int8(int inputs, int gates, int units) {
        const Packed words = packed((inputs + 3) / 4, gates, units);
        fillBits(blocks.back().data, blocks.back().size);
        return int8(words);
    }

    // The same of words that exist.
    Weights int8(const Packed& words) {
        const int outputs = words.gates * ((words.units + BLOCK - 1) / BLOCK * BLOCK);
        const float* scales = matrix(1, outputs).data;
        float* offsets = block(outputs);
        fillBits(offsets, outputs);
        return {words, scales, offsets};
    }

    // One row of random bits.
    Matrix bits(int columns) {
        float* data = block(columns);
        fillBits(data, columns);
        return {data, columns, 1, columns};
    }

    // Memory for a kernel to use as it likes.
    Matrix scratch(int64_t bytes) {
        const int64_t size = (bytes + 3) / 4;
        float* data = block(size);
        blocks.back().size = 0;
        return {data, size, 1, static_cast<int>(size)};
    }

    // Words of some precision: random bits for eight-bit weights; for the others floats, whose halves are bfloat16 of any size.
    Packed words(int precision, int inputs, int gates, int units) {
        const Packed words = packed(inputs, gates, units);
        if (precision == PRECISION_INT8) {
            fillBits(blocks.back().data, blocks.back().size);
        }
        return words;
    }

    Indices indices(int length, int bound) {
        auto& values = ints.emplace_back(std::make_unique<std::vector<int32_t>>());
        for (int i = 0; i < length; i++) {
            values->push_back(static_cast<int32_t>(random() % static_cast<unsigned>(bound)));
        }
        return {values->data(), length};
    }

    void result(float value) {
        fill(block(1), 0);
        *blocks.back().data = value;
    }

    // Returns whether all blocks hold the same bits, a NaN being like any other.
    bool same(const Operands& other) const {
        for (size_t b = 0; b < blocks.size(); b++) {
            for (int64_t i = 0; i < blocks[b].size; i++) {
                const float mine = blocks[b].data[i];
                const float theirs = other.blocks[b].data[i];
                if (memcmp(&mine, &theirs, sizeof mine) != 0 && (blocks[b].bits || !(isnan(mine) && isnan(theirs)))) {
                    fprintf(stderr, "operand %zu, float %lld: expected %a, got %a\n", b, static_cast<long long>(i),
                            static_cast<double>(mine), static_cast<double>(theirs));
                    return false;
                }
            }
        }
        return true;
    }

private:
    // Pages, and behind them one that faults.
    class Pages {
    public:
        explicit Pages(size_t bytes) : page(static_cast<size_t>(sysconf(_SC_PAGESIZE))), length((bytes + page - 1) / page * page) {
            void* memory = mmap(nullptr, length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED || mprotect(static_cast<char*>(memory) + length, page, PROT_NONE) != 0) {
                perror("kernels_test: no memory");
                exit(1);
            }
            start = static_cast<char*>(memory);
        }

        Pages(Pages&& other) noexcept : page(other.page), length(other.length), start(other.start) {
            other.start = nullptr;
        }

        Pages(const Pages&) = delete;
        Pages& operator=(const Pages&) = delete;

        ~Pages() {
            if (start != nullptr) {
                munmap(start, length + page);
            }
        }

        char* end() const {
            return start + length;
        }

    private:
        size_t page;
        size_t length;
        char* start;
    };

    struct Block {
        Pages memory;
        float* data;
        int64_t size;
        bool bits;  // these are no floats
    };

    int pick(std::initializer_list<int> choices) {
        return choices.begin()[random() % choices.size()];
    }

    float* block(int64_t size) {
        const int64_t before = pick({0, 0, 1, 7});
        Pages memory(static_cast<size_t>(before + size) * sizeof(float));
        float* all = reinterpret_cast<float*>(memory.end()) - (before + size);
        for (int64_t i = 0; i < before + size; i++) {
            all[i] = MARGIN;
        }
        blocks.push_back({std::move(memory), all + before, size, false});
        return all + before;
    }

    void fill(float* data, int64_t count) {
        for (int64_t i = 0; i < count; i++) {
            data[i] = next();
        }
    }

    // Fills all of the last block, or the start of it, with random bits.
    void fillBits(float* data, int64_t count) {
        blocks.back().bits = true;
        for (int64_t i = 0; i < count; i++) {
            const uint32_t bits = random();
            memcpy(data + i, &bits, sizeof bits);
        }
    }

    float next() {
        const float v = std::normal_distribution<float>()(random);
        if (!extreme) {
            return v;
        }
        const float sign = v < 0 ? -1.f : 1.f;
        switch (random() % 24) {
            case 0:
                return NAN;
            case 1:
                return sign * INFINITY;
            case 2:
                return sign * 0.f;
            case 3:
            case 4:
                return v * 0x1p-126f;
            case 5:
                return v * 0x1p-145f;
            case 6:
            case 7:
                return 40 * v;
            case 8:
                return v * 0x1p100f;
            default:
                return v;
        }
    }

    std::mt19937 random;
    bool extreme;
    std::vector<Block> blocks;
    std::vector<std::unique_ptr<std::vector<int32_t>>> ints;
};

using Call = std::function<void(const Table&, Operands&)>;

struct Case {
    const char* kernel;
    std::string sizes;
    Call call;
};

std::vector<Case> cases;

std::string text(std::initializer_list<int> sizes) {
    std::string joined;
    for (int size : sizes) {
        joined.append(" ").append(std::to_string(size));
    }
    return joined;
}

void add(const char* kernel, std::initializer_list<int> sizes, Call call) {
    cases.push_back({kernel, text(sizes), call});
}

int padded(int size) {
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

void addMultiplyAdd(int rows, int inputs, int gates, int units) {
    add("multiplyAdd", {rows, inputs, gates, units}, [=](const Table& t, Operands& o) {
        const Matrix a = o.matrix(rows, inputs);
        t.multiplyAdd(a, o.packed(inputs, gates, units), o.matrix(rows, gates * padded(units)));
    });
}

void addMultiplyAddBf16(int rows, int inputs, int gates, int units) {
    add("multiplyAddBf16", {rows, inputs, gates, units}, [=](const Table& t, Operands& o) {
        const Matrix a = o.matrix(rows, inputs);
        t.multiplyAddBf16(a, o.packed((inputs + 1) / 2, gates, units), o.matrix(rows, gates * padded(units)));
    });
}

void addMultiplyAddInt8(int rows, int inputs, int gates, int units) {
    add("multiplyAddInt8", {rows, inputs, gates, units}, [=](const Table& t, Operands& o) {
        const Quantized a = o.quantized(rows, inputs);
        t.multiplyAddInt8(a, o.int8(inputs, gates, units), o.matrix(rows, gates * padded(units)));
    });
}

// A single row, and packed weights of that many words of each output.
void addRowProducts(int words, int gates, int units) {
    addMultiplyAdd(1, words, gates, units);
    addMultiplyAddBf16(1, 2 * words - 1, gates, units);
    addMultiplyAddInt8(1, 4 * words - 1, gates, units);
}

void addProducts() {
    const int sizes[] = {1, 15, 17, 48, 65, 80, 100, 113, 144};
    const int rowCounts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 97};
    int turn = 0;
    for (int gates = 1; gates <= 5; gates++) {
        for (int rows : rowCounts) {
            for (int i = 0; i < 3; i++) {
                const int units = sizes[turn % 9];
                const int inputs = rows == 97 && i == 0 ? 300 : sizes[(turn * 4 + 2) % 9];
                turn++;
                addMultiplyAdd(rows, inputs, gates, units);
                addMultiplyAddBf16(rows, inputs, gates, units);
                addMultiplyAddInt8(rows, inputs, gates, units);
                add("weightGradient", {rows, inputs, gates, units}, [=](const Table& t, Operands& o) {
                    const Matrix a = o.matrix(rows + 90 * i, inputs);
                    const Matrix dz = o.matrix(rows + 90 * i, gates * padded(units));
                    t.weightGradient(a, dz, o.packed(inputs, gates, units));
                });
                add("addInputs", {rows, inputs, gates, units}, [=](const Table& t, Operands& o) {
                    const Packed w = o.packed(inputs, gates, units);
                    t.addInputs(w, o.indices(rows, inputs), o.matrix(rows, gates * padded(units)));
                });
                add("scatterAddInputs", {rows, inputs, gates, units}, [=](const Table& t, Operands& o) {
                    const Matrix dz = o.matrix(rows, gates * padded(units));
                    t.scatterAddInputs(dz, o.indices(rows, inputs), o.packed(inputs, gates, units));
                });
            }
        }
    }
    // Weights from beyond the nearest caches, with panels left over.
    addRowProducts(4900, 1, 90);
    addRowProducts(1640, 3, 90);
    addRowProducts(1230, 4, 90);
    addRowProducts(8300, 4, 90);
}

const float NO_CLIP = INFINITY;
const Activation TANH = {ACTIVATION_TANH, 0, 0, NO_CLIP};
const Activation SIGMOID = {ACTIVATION_SIGMOID, 0, 0, NO_CLIP};

// Every kind, with and without a clip.
const Activation FUNCTIONS[] = {TANH,
                                {ACTIVATION_RELU, 0, 0, NO_CLIP},
                                {ACTIVATION_IDENTITY, 0, 0, NO_CLIP},
                                SIGMOID,
                                {ACTIVATION_SOFTSIGN, 0, 0, NO_CLIP},
                                {ACTIVATION_SOFTPLUS, 0, 0, NO_CLIP},
                                {ACTIVATION_AFFINE, 0.5f, -0.25f, NO_CLIP},
                                {ACTIVATION_LEAKY_RELU, 0.01f, 0, NO_CLIP},
                                {ACTIVATION_THRESHOLDED_RELU, 0.5f, 0, NO_CLIP},
                                {ACTIVATION_SCALED_TANH, 1.7159f, 0.6667f, NO_CLIP},
                                {ACTIVATION_HARD_SIGMOID, 0.2f, 0.5f, NO_CLIP},
                                {ACTIVATION_ELU, 1.5f, 0, NO_CLIP},
                                {ACTIVATION_TANH, 0, 0, 0.75f},
                                {ACTIVATION_IDENTITY, 0, 0, 0.5f}};

// An LSTM or, with the first two functions, a GRU.
struct Variant {
    Activation gates;
    Activation candidate;
    Activation output;
    float cellClip;
    bool coupled;
    bool peepholes;

    int slots() const {
        return coupled ? 3 : 4;
    }
};

const Variant VARIANTS[] = {{SIGMOID, TANH, TANH, NO_CLIP, false, false},
                            {SIGMOID, TANH, TANH, NO_CLIP, false, true},
                            {SIGMOID, TANH, TANH, 0.5f, true, false},
                            {FUNCTIONS[10], FUNCTIONS[12], FUNCTIONS[4], 0.75f, true, true},
                            {{ACTIVATION_SIGMOID, 0, 0, 0.5f}, FUNCTIONS[1], FUNCTIONS[11], NO_CLIP, false, true}};

void addCells(int rows, int units) {
    int choice = 0;
    for (const Activation& f : FUNCTIONS) {
        add("rnnForward", {choice, rows, units}, [=](const Table& t, Operands& o) {
            const Matrix z = o.matrix(rows, units);
            t.rnnForward(f, z, o.matrix(rows, units));
        });
        add("rnnBackward", {choice++, rows, units}, [=](const Table& t, Operands& o) {
            const Matrix h = o.matrix(rows, units);
            const Matrix dh = o.matrix(rows, units);
            t.rnnBackward(f, h, dh, o.matrix(rows, units));
        });
    }
    choice = 0;
    for (const Variant& v : VARIANTS) {
        const auto cell = [=](const char* name, int slots, std::function<void(const Table&, Matrix, Matrix, Matrix, Matrix, Matrix, Matrix)> call) {
            add(name, {choice, rows, units}, [=](const Table& t, Operands& o) {
                const Matrix p = o.matrix(v.peepholes ? v.slots() - 1 : 0, units);
                const Matrix z = o.matrix(rows, slots * units);
                const Matrix a = o.matrix(rows, units);
                const Matrix b = o.matrix(rows, units);
                const Matrix c = o.matrix(rows, units);
                call(t, p, z, a, b, c, o.matrix(rows, units));
            });
        };
        cell("lstmForward", v.slots(), [=](const Table& t, Matrix p, Matrix z, Matrix a, Matrix b, Matrix c, Matrix) {
            t.lstmForward(v.gates, v.candidate, v.output, v.cellClip, p, z, a, b, c);
        });
        cell("lstmForward", v.slots(), [=](const Table& t, Matrix p, Matrix z, Matrix a, Matrix b, Matrix, Matrix) {
            t.lstmForward(v.gates, v.candidate, v.output, v.cellClip, p, z, a, a, b);
        });
        cell("lstmBackward", v.slots(), [=](const Table& t, Matrix p, Matrix z, Matrix a, Matrix b, Matrix c, Matrix d) {
            t.lstmBackward(v.gates, v.candidate, v.output, v.cellClip, p, z, a, b, c, d);
        });
        cell("gruForward", 4, [=](const Table& t, Matrix, Matrix z, Matrix a, Matrix b, Matrix, Matrix) {
            t.gruForward(v.gates, v.candidate, z, a, b);
        });
        cell("gruForward", 4, [=](const Table& t, Matrix, Matrix z, Matrix a, Matrix, Matrix, Matrix) {
            t.gruForward(v.gates, v.candidate, z, a, a);
        });
        cell("gruBackward", 4, [=](const Table& t, Matrix, Matrix z, Matrix a, Matrix b, Matrix c, Matrix) {
            t.gruBackward(v.gates, v.candidate, z, a, b, c);
        });
        cell("gruResetForward", 4, [=](const Table& t, Matrix, Matrix z, Matrix a, Matrix, Matrix, Matrix) { t.gruResetForward(v.gates, z, a); });
        cell("gruMixForward", 4, [=](const Table& t, Matrix, Matrix z, Matrix a, Matrix b, Matrix, Matrix) { t.gruMixForward(v.candidate, z, a, b); });
        cell("gruMixBackward", 4, [=](const Table& t, Matrix, Matrix z, Matrix a, Matrix b, Matrix c, Matrix) {
            t.gruMixBackward(v.gates, v.candidate, z, a, b, c);
        });
        cell("gruResetBackward", 4, [=](const Table& t, Matrix, Matrix z, Matrix a, Matrix b, Matrix c, Matrix) {
            t.gruResetBackward(v.gates, z, a, b, c);
        });
        choice++;
    }
    const auto cell = [=](const char* name, std::function<void(const Table&, Matrix, Matrix, Matrix, Matrix)> call) {
        add(name, {rows, units}, [=](const Table& t, Operands& o) {
            const Matrix z = o.matrix(rows, 4 * units);
            const Matrix a = o.matrix(rows, units);
            const Matrix b = o.matrix(rows, units);
            call(t, z, a, b, o.matrix(rows, units));
        });
    };
    cell("lstmCellForward", [](const Table& t, Matrix z, Matrix a, Matrix b, Matrix) { t.lstmCellForward(z, a, b); });
    cell("lstmCellForward", [](const Table& t, Matrix z, Matrix a, Matrix, Matrix) { t.lstmCellForward(z, a, a); });
    cell("lstmOutputForward", [](const Table& t, Matrix z, Matrix a, Matrix b, Matrix) { t.lstmOutputForward(z, a, b); });
    cell("lstmOutputForward", [](const Table& t, Matrix z, Matrix a, Matrix, Matrix) { t.lstmOutputForward(z, a, a); });
    cell("lstmOutputBackward", [](const Table& t, Matrix z, Matrix a, Matrix b, Matrix c) { t.lstmOutputBackward(z, a, b, c); });
    cell("lstmOutputBackward", [](const Table& t, Matrix z, Matrix a, Matrix b, Matrix) { t.lstmOutputBackward(z, a, b, b); });
    cell("lstmCellBackward", [](const Table& t, Matrix z, Matrix a, Matrix b, Matrix) { t.lstmCellBackward(z, a, b); });
    const auto minGru = [](Matrix z, int size) { return Matrix{z.data, z.stride, z.rows, 2 * size}; };
    cell("minGruForward", [=](const Table& t, Matrix z, Matrix a, Matrix b, Matrix) { t.minGruForward(minGru(z, units), a, b); });
    cell("minGruForward", [=](const Table& t, Matrix z, Matrix a, Matrix, Matrix) { t.minGruForward(minGru(z, units), a, a); });
    cell("minGruBackward", [=](const Table& t, Matrix z, Matrix a, Matrix b, Matrix c) { t.minGruBackward(minGru(z, units), a, b, c); });
}

// Some inputs of packed weights.
Packed part(Packed w, int from, int count) {
    const int unitBlocks = (w.units + BLOCK - 1) / BLOCK;
    const int first = w.gates > 1 ? w.gates : PLAIN_BLOCKS;
    const int last = w.gates > 1 ? w.gates : (unitBlocks - 1) % PLAIN_BLOCKS + 1;
    const bool one = w.gates > 1 ? unitBlocks == 1 : unitBlocks <= PLAIN_BLOCKS;
    return {w.first + from * (one ? last : first) * BLOCK, w.last + from * last * BLOCK, w.panelStride, count, w.gates, w.units};
}

int panels(int gates, int units) {
    const int unitBlocks = padded(units) / BLOCK;
    return gates > 1 ? unitBlocks : (unitBlocks + PLAIN_BLOCKS - 1) / PLAIN_BLOCKS;
}

int perWord(int precision) {
    return precision == PRECISION_F32 ? 1 : precision == PRECISION_BF16 ? 2 : 4;
}

int wordsOf(int precision, int inputs) {
    return (inputs + perWord(precision) - 1) / perWord(precision);
}

// Weights of some words. Eight-bit weights behind the last input are 0; bfloat16 ones are never looked at.
Weights weights(int precision, int inputs, const Packed& words, Operands& o) {
    if (precision != PRECISION_INT8) {
        return {words, nullptr, nullptr};
    }
    const uint32_t used = inputs % 4 == 0 ? ~0u : (1u << (inputs % 4 * 8)) - 1;
    const int all = panels(words.gates, words.units);
    for (int panel = 0; panel < all && words.inputs > 0; panel++) {
        const int width = words.gates > 1 ? words.gates : std::min(PLAIN_BLOCKS, padded(words.units) / BLOCK - panel * PLAIN_BLOCKS);
        float* const first = panel == all - 1 ? words.last : words.first + panel * words.panelStride;
        auto last = reinterpret_cast<char*>(first + static_cast<int64_t>(words.inputs - 1) * width * BLOCK);
        for (int i = 0; i < width * BLOCK; i++, last += sizeof used) {
            uint32_t word;
            memcpy(&word, last, sizeof word);
            word &= used;
            memcpy(last, &word, sizeof word);
        }
    }
    return o.int8(words);
}

// What the steps of every cell take besides their choices.
struct StepsOperands {
    Matrix start;
    Matrix x;
    Weights w;
    Matrix hPrevious;
    Weights u;
    Matrix scratch;
    int from;
    int to;
};

// T steps of B rows, of weights of a precision, from a state of all units or, in one step, of fewer. Start has a row each, or one for all; part
// p of q of the panels.
void addSteps(int precision, int rows, int steps, int inputs, int state, int units, int part, int parts) {
    const int all = rows * steps;
    const int width = padded(units);
    const bool whole = state == units;
    const auto add4 = [=](const char* name, int slots, int gates, int choice, int starts,
                          std::function<void(const Table&, const StepsOperands&, Operands&)> call) {
        for (bool interleaved : {false, true}) {
            add(name, {choice, precision, rows, steps, inputs, state, units, starts, part, parts, interleaved}, [=](const Table& t, Operands& o) {
                const Matrix start = o.matrix(starts, slots * width);
                const Matrix x = o.matrix(all, inputs);
                const Matrix hPrevious = o.matrix(rows, whole ? width : state);
                const int wWords = wordsOf(precision, inputs);
                const int uWords = wordsOf(precision, state);
                Packed w = {nullptr, nullptr, 0, 0, gates, units};
                Packed u = w;
                if (interleaved) {
                    const Packed both = o.words(precision, wWords + uWords, gates, units);
                    w = ::part(both, 0, wWords);
                    u = ::part(both, wWords, uWords);
                } else {
                    w = inputs > 0 ? o.words(precision, wWords, gates, units) : w;
                    u = state > 0 ? o.words(precision, uWords, gates, units) : u;
                }
                const int64_t levels = static_cast<int64_t>(rows) * ((inputs + 63) / 64 * 64 + (state + 63) / 64 * 64);
                const int64_t kept = static_cast<int64_t>(rows) * slots * width * 4;
                const Matrix scratch = o.scratch(kept + (precision == PRECISION_INT8 ? levels + 2 * 4 * padded(rows) : 0));
                const int count = panels(gates, units);
                call(t, {start, x, weights(precision, inputs, w, o), hPrevious, weights(precision, state, u, o), scratch,
                         count * part / parts, count * (part + 1) / parts}, o);
            });
        }
    };
    int choice = 0;
    for (const Activation& f : {FUNCTIONS[0], FUNCTIONS[1], FUNCTIONS[2], FUNCTIONS[9]}) {
        const int descending = choice % 2;
        const int scaling = f.kind == ACTIVATION_TANH ? SCALING_UNIT : SCALING_ROW;
        add4("rnnSteps", 1, 1, choice, choice == 1 ? all : 1, [=](const Table& t, const StepsOperands& s, Operands& o) {
            t.rnnSteps(f, precision, scaling, s.start, s.x, s.w, s.hPrevious, s.u, descending, s.from, s.to, s.scratch, o.matrix(all, width));
        });
        choice++;
    }
    choice = 0;
    for (int descending : {0, 1}) {
        const int starts = descending == 0 ? all : 1;
        add4("lstmSteps", 4, 4, descending, starts, [=](const Table& t, const StepsOperands& s, Operands& o) {
            const Matrix c = o.matrix(rows, width);
            t.lstmSteps(precision, s.start, s.x, s.w, s.hPrevious, s.u, descending, s.from, s.to, s.scratch, c, o.matrix(all, width));
        });
        if (!whole) {
            continue;
        }
        add4("gruSteps", 4, 3, descending, starts, [=](const Table& t, const StepsOperands& s, Operands& o) {
            t.gruSteps(precision, s.start, s.x, s.w, s.hPrevious, s.u, descending, s.from, s.to, s.scratch, o.matrix(all, width));
        });
    }
    for (const Variant& v : {VARIANTS[3], VARIANTS[4]}) {
        const int descending = choice % 2;
        const int starts = descending == 0 ? all : 1;
        add4("lstmVariantSteps", v.slots(), v.slots(), choice, starts, [=](const Table& t, const StepsOperands& s, Operands& o) {
            const Matrix p = o.matrix(v.peepholes ? v.slots() - 1 : 0, width);
            const Matrix c = o.matrix(rows, width);
            t.lstmVariantSteps(v.gates, v.candidate, v.output, v.cellClip, p, precision, SCALING_UNIT, s.start, s.x, s.w, s.hPrevious, s.u,
                               descending, s.from, s.to, s.scratch, c, o.matrix(all, width));
        });
        if (choice == 0 && whole) {
            add4("gruVariantSteps", 4, 3, choice, starts, [=](const Table& t, const StepsOperands& s, Operands& o) {
                t.gruVariantSteps(v.gates, v.candidate, precision, SCALING_UNIT, s.start, s.x, s.w, s.hPrevious, s.u, descending, s.from, s.to,
                                  s.scratch, o.matrix(all, width));
            });
        }
        choice++;
    }
}

void addSteps(int rows, int inputs, int units) {
    for (int precision : {PRECISION_F32, PRECISION_BF16, PRECISION_INT8}) {
        addSteps(precision, rows, rows == 1 ? 3 : rows % 3, inputs, units, units, 0, 1);
        addSteps(precision, rows, 1, inputs, units, units, rows % 2, 2);
        if (units > 16) {
            addSteps(precision, rows, 1, inputs, rows % 4 == 0 ? 0 : units / 3, units, rows % 2, 2);
        }
    }
}

void addRows(int rows, int columns) {
    const auto unary = [=](const char* name, int choice, std::function<void(const Table&, Matrix, Matrix)> call) {
        add(name, {choice, rows, columns}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            call(t, x, o.matrix(rows, columns));
        });
        add(name, {choice, rows, columns, 0}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            call(t, x, x);
        });
    };
    for (int f = FUNCTION_EXP; f <= FUNCTION_SILU; f++) {
        unary("apply", f, [=](const Table& t, Matrix x, Matrix y) { t.apply(f, x, y); });
        unary("applyBackward", f, [=](const Table& t, Matrix v, Matrix dx) { t.applyBackward(f, v, dx, dx); });
        add("applyBackward", {f, rows, columns}, [=](const Table& t, Operands& o) {
            const Matrix v = o.matrix(rows, columns);
            const Matrix dy = o.matrix(rows, columns);
            t.applyBackward(f, v, dy, o.matrix(rows, columns));
        });
    }
    unary("softmax", 0, [](const Table& t, Matrix x, Matrix y) { t.softmax(x, y); });
    unary("logSoftmax", 0, [](const Table& t, Matrix x, Matrix y) { t.logSoftmax(x, y); });
    unary("multiply", 0, [](const Table& t, Matrix x, Matrix y) { t.multiply(x, y); });
    unary("scale", 0, [](const Table& t, Matrix x, Matrix) { t.scale(x, 0.37f); });
    for (int scaling : {SCALING_ROW, SCALING_UNIT}) {
        add("quantize", {scaling, rows, columns}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            if (scaling == SCALING_UNIT) {
                for (int i = 0; i < rows * columns; i += 3) {
                    x.data[i / columns * x.stride + i % columns] *= 0.25f;
                }
            }
            t.quantize(scaling, x, o.quantized(rows, columns));
        });
    }
    add("columnSums", {rows, columns}, [=](const Table& t, Operands& o) {
        const Matrix x = o.matrix(rows, columns);
        t.columnSums(x, o.matrix(1, columns));
    });
    add("addScaled", {rows, columns}, [=](const Table& t, Operands& o) {
        const Matrix x = o.matrix(rows, columns);
        const Matrix factors = o.matrix(1, columns);
        t.addScaled(x, factors, o.matrix(rows, columns));
    });
    add("columnDots", {rows, columns}, [=](const Table& t, Operands& o) {
        const Matrix x = o.matrix(rows, columns);
        const Matrix y = o.matrix(rows, columns);
        t.columnDots(x, y, o.matrix(1, columns));
    });
    add("scatterAdd", {rows, columns}, [=](const Table& t, Operands& o) {
        const Matrix x = o.matrix(rows, columns);
        const Indices indices = o.indices(rows, 3);
        t.scatterAdd(x, indices, o.matrix(3, columns));
    });
    add("squaredError", {rows, columns}, [=](const Table& t, Operands& o) {
        const Matrix y = o.matrix(rows, columns);
        const Matrix target = o.matrix(rows, columns);
        t.squaredError(y, target, o.matrix(rows, 1), 0.5f, 0.25f);
    });
    add("sumOfSquares", {columns}, [=](const Table& t, Operands& o) { o.result(t.sumOfSquares(o.matrix(1, columns))); });
    add("adam", {columns}, [=](const Table& t, Operands& o) {
        const Matrix w = o.matrix(1, columns);
        const Matrix dw = o.matrix(1, columns);
        const Matrix m = o.matrix(1, columns);
        t.adam(w, dw, m, o.matrix(1, columns), 0.7f, 0.9f, 0.1f, 0.999f, 0.001f, 0.01f, 31.6f, 1e-8f);
    });
    add("sgd", {columns}, [=](const Table& t, Operands& o) {
        const Matrix w = o.matrix(1, columns);
        const Matrix dw = o.matrix(1, columns);
        t.sgd(w, dw, o.matrix(1, columns), 0.7f, 0.1f, 0.9f);
    });
    if (columns > 0) {
        add("layerNormForward", {rows, columns}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            const Matrix gain = o.matrix(1, columns);
            const Matrix bias = o.matrix(1, columns);
            const Matrix y = o.matrix(rows, columns);
            t.layerNormForward(x, gain, bias, 1e-5f, y, o.matrix(rows, 2));
        });
        add("layerNormForward", {rows, columns, 0}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            const Matrix gain = o.matrix(1, columns);
            const Matrix bias = o.matrix(1, columns);
            t.layerNormForward(x, gain, bias, 1e-5f, x, o.matrix(rows, 2));
        });
        add("layerNormBackward", {rows, columns}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            const Matrix gain = o.matrix(1, columns);
            const Matrix statistics = o.matrix(rows, 2);
            const Matrix dy = o.matrix(rows, columns);
            const Matrix dx = o.matrix(rows, columns);
            const Matrix dGain = o.matrix(1, columns);
            t.layerNormBackward(x, gain, statistics, dy, dx, dGain, o.matrix(1, columns));
        });
        add("layerNormBackward", {rows, columns, 0}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            const Matrix gain = o.matrix(1, columns);
            const Matrix statistics = o.matrix(rows, 2);
            const Matrix dy = o.matrix(rows, columns);
            const Matrix dGain = o.matrix(1, columns);
            t.layerNormBackward(x, gain, statistics, dy, dy, dGain, o.matrix(1, columns));
        });
        add("crossEntropyForward", {rows, columns}, [=](const Table& t, Operands& o) {
            const Matrix x = o.matrix(rows, columns);
            const Indices targets = o.indices(rows, columns);
            t.crossEntropyForward(x, targets, o.matrix(rows, 1));
        });
        add("crossEntropyBackward", {rows, columns}, [=](const Table& t, Operands& o) {
            const Matrix p = o.matrix(rows, columns);
            t.crossEntropyBackward(p, o.indices(rows, columns), 0.3f);
        });
    }
}

// As large as gemm may use, and no larger; between calls of no consequence.
Matrix gemmScratch() {
    static std::vector<float> floats(GEMM_SCRATCH);
    return {floats.data(), GEMM_SCRATCH, 1, GEMM_SCRATCH};
}

void addGemm(int rows, int depth, int columns) {
    for (int t = 0; t < 4; t++) {
        const int ta = t / 2;
        const int tb = t % 2;
        const float alpha = (rows + columns) % 2 == 0 ? 1.f : 0.7f;
        const float beta = depth % 3 == 0 ? 0.f : depth % 3 == 1 ? 1.f : -0.3f;
        add("gemm", {ta, tb, rows, depth, columns}, [=](const Table& table, Operands& o) {
            const Matrix a = ta ? o.matrix(depth, rows) : o.matrix(rows, depth);
            const Matrix b = tb ? o.matrix(columns, depth) : o.matrix(depth, columns);
            table.gemm(ta, tb, alpha, a, b, beta, o.matrix(rows, columns), gemmScratch());
        });
        if (rows < 20) {
            add("gemv", {ta, rows, depth}, [=](const Table& table, Operands& o) {
                const Matrix a = o.matrix(rows, depth);
                const Matrix x = o.matrix(1, ta ? rows : depth);
                table.gemv(ta, alpha, a, x, beta, o.matrix(1, ta ? depth : rows));
            });
        }
    }
}

void addBlas() {
    int turn = 0;
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 19}) {
        for (int columns : {1, 5, 15, 16, 17, 31, 48, 63, 64, 65, 100, 130}) {
            addGemm(rows, turn++ % 19 + (columns == 64 ? 250 : 0), columns);
        }
    }
    for (int depth : {0, 127, 129, 256, 258, 513}) {
        addGemm(7, depth, 70);
    }
    addGemm(200, 300, 33);
    addGemm(390, 130, 1030);
    addGemm(1, 9, 2050);
    addGemm(1, 2070, 37);
    for (int rows : {0, 1, 2, 4, 7, 8, 9, 17}) {
        for (int columns : {0, 1, 7, 8, 9, 15, 16, 17, 33, 100}) {
            const auto partials = [=](const char* name, std::function<void(const Table&, Matrix, Matrix)> call) {
                add(name, {rows, columns}, [=](const Table& t, Operands& o) {
                    const Matrix x = o.matrix(rows, columns);
                    call(t, x, o.matrix(rows, BLOCK));
                });
            };
            partials("partialSums", [](const Table& t, Matrix x, Matrix p) { t.partialSums(x, p); });
            partials("partialMaxima", [](const Table& t, Matrix x, Matrix p) { t.partialMaxima(x, p); });
            partials("partialMinima", [](const Table& t, Matrix x, Matrix p) { t.partialMinima(x, p); });
            add("partialDots", {rows, columns}, [=](const Table& t, Operands& o) {
                const Matrix a = o.matrix(rows, columns);
                const Matrix x = o.matrix(1, columns);
                t.partialDots(a, x, o.matrix(rows, BLOCK));
            });
            add("axpy", {rows, columns}, [=](const Table& t, Operands& o) {
                const Matrix x = o.matrix(rows, columns);
                t.axpy(0.7f, x, o.matrix(rows, columns));
            });
        }
    }
}

void addProbes() {
    for (int rounds : {0, 1, 3}) {
        for (int columns : {0, READ_FLOATS, 5 * READ_FLOATS}) {
            add("probeReads", {rounds, columns}, [=](const Table& t, Operands& o) {
                const Matrix x = o.bits(columns);
                t.probeReads(rounds, x, o.bits(BLOCK));
            });
        }
        add("probeProducts", {rounds}, [=](const Table& t, Operands& o) { t.probeProducts(rounds, 0.37f, o.matrix(1, PRODUCT_FLOATS)); });
    }
}

void addAll() {
    addBlas();
    addProbes();
    addProducts();
    for (int rows : {1, 2, 3, 4, 5, 6, 7, 13}) {
        for (int units : {1, 16, 33, 100}) {
            addSteps(rows, units == 16 ? 0 : units == 33 ? 7 : 20, units);
        }
    }
    for (int rows : {0, 1, 3}) {
        for (int units : {0, 16, 48, 112}) {
            addCells(rows, units);
        }
        for (int columns : {0, 1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 33, 65, 100, 130}) {
            addRows(rows, columns);
        }
    }
}

struct Tested {
    std::string name;
    const Table* table;
    int failures;
};

// The call that is running, for the handler of a fault.
char running[256];

void fault(int) {
    const char text[] = "touched memory that is not its own: ";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0 || write(STDERR_FILENO, running, strlen(running)) < 0) {
        _exit(3);
    }
    _exit(2);
}

void check(std::vector<Tested>& tested, unsigned seed) {
    for (const Case& c : cases) {
        for (bool extreme : {false, true}) {
            Operands expected(seed, extreme);
            c.call(REFERENCE_TABLE, expected);
            for (Tested& t : tested) {
                Operands actual(seed, extreme);
                snprintf(running, sizeof running, "%s: %s%s, seed %u\n", t.name.c_str(), c.kernel, c.sizes.c_str(), seed);
                c.call(*t.table, actual);
                if (!expected.same(actual)) {
                    fprintf(stderr, "%s: %s%s%s, seed %u\n", t.name.c_str(), c.kernel, c.sizes.c_str(), extreme ? ", extreme" : "", seed);
                    t.failures++;
                }
            }
        }
    }
}

bool everyKernelHasCases() {
    std::set<std::string> tested;
    for (const Case& c : cases) {
        tested.insert(c.kernel);
    }
    bool all = true;
#define KERNEL(result, name, ...)                \
    if (tested.count(#name) == 0) {              \
        fprintf(stderr, "no cases: " #name "\n"); \
        all = false;                             \
    }
#include "kernels.def"
    return all;
}

}  // namespace

// kernels_test [seed [isa]]
int main(int count, char** arguments) {
    const unsigned seed = count > 1 ? static_cast<unsigned>(strtoul(arguments[1], nullptr, 10)) : std::random_device()();
    const std::string only = count > 2 ? arguments[2] : "";
    printf("seed %u\n", seed);
    addAll();
    if (!everyKernelHasCases()) {
        return 1;
    }
    std::vector<Tested> tested;
    for (int32_t isa = 0; isa < ISA_COUNT; isa++) {
        if (tableOf(isa) != nullptr && (only.empty() || only == ISA_NAMES[isa])) {
            tested.push_back({ISA_NAMES[isa], tableOf(isa), 0});
        }
    }
    if (tested.empty()) {
        fprintf(stderr, "no ISA to test\n");
        return 1;
    }
#ifdef __x86_64__
    if (only.empty()) {
        tested.push_back({"emulated, 16 lanes", &EMULATED16_TABLE, 0});
    }
#endif
    signal(SIGSEGV, fault);
    signal(SIGBUS, fault);
    check(tested, seed);
    int failures = 0;
    for (const Tested& t : tested) {
        printf("%s: %zu calls, %d differ from plain loops\n", t.name.c_str(), 2 * cases.size(), t.failures);
        failures += t.failures;
    }
    return failures == 0 ? 0 : 1;
}
