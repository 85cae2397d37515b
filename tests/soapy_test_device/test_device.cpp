// SPDX-License-Identifier: GPL-3.0-or-later
// A SoapySDR device without hardware, for tests: driver=rpmsntest. It keeps time, refuses what radios refuse, settles
// after a tune, and has the faults of radios. Device arguments:
//   bands=LOWER:UPPER:DB/...   what is on the air, Hz and dB over the noise (plain numbers)
//   settle=SECONDS             full scale of either sign for so long after a tune
//   overflow=SECONDS:LENGTH    at this time of the stream, samples of this length are lost, and reported
//   stall=SECONDS:LENGTH       nothing comes for so long
//   unplug=SECONDS             reading fails from here on
//   fast=1                     as fast as it is read, instead of in real time
//   notime=1                   no hardware time, as an RTL-SDR
//   hang=SECONDS               opening it takes so long
#include <SoapySDR/Device.hpp>
#include <SoapySDR/Errors.hpp>
#include <SoapySDR/Formats.hpp>
#include <SoapySDR/Registry.hpp>

#include <chrono>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using Sample = std::complex<float>;
using Clock = std::chrono::steady_clock;
constexpr size_t LOOP = 1 << 17, TAPS = 255, MTU = 16384;
constexpr double NOISE = 5e-3, LOWEST_RATE = 1e6, HIGHEST_RATE = 61.44e6, LOWEST = 24e6, HIGHEST = 6e9;

double number(const SoapySDR::Kwargs &args, const std::string &key, double otherwise)
{
    return args.count(key) ? std::atof(args.at(key).c_str()) : otherwise;
}

struct Span {
    double start = -1, length = 0;
    Span(const SoapySDR::Kwargs &args, const std::string &key)
    {
        if (args.count(key)) std::sscanf(args.at(key).c_str(), "%lf:%lf", &start, &length);
    }
};

// Noise of a band, flat from `lower` to `upper` as seen around zero, added to `loop`.
void addBand(std::vector<Sample> &loop, double lower, double upper, double level, double rate, unsigned seed)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<Sample> white(LOOP);
    for (auto &value : white) value = {normal(random), normal(random)};
    const double half = (upper - lower) / 2 / rate, middle = std::round((upper + lower) / 2 / rate * LOOP) / LOOP;
    std::vector<float> taps(TAPS);
    for (size_t tap = 0; tap < TAPS; tap++) {
        const double place = double(tap) - (TAPS - 1) / 2;
        const double window = 0.54 - 0.46 * std::cos(2 * M_PI * tap / (TAPS - 1));
        taps[tap] = window * (place == 0 ? 2 * half : std::sin(2 * M_PI * half * place) / (M_PI * place));
    }
    const double amplitude = NOISE / std::sqrt(2) * std::pow(10, level / 20);
    for (size_t sample = 0; sample < LOOP; sample++) {
        Sample sum = 0;
        for (size_t tap = 0; tap < TAPS; tap++) sum += taps[tap] * white[(sample + tap) % LOOP];
        loop[sample] += sum * Sample(std::polar(amplitude, 2 * M_PI * middle * double(sample)));
    }
}

class TestDevice : public SoapySDR::Device {
public:
    explicit TestDevice(const SoapySDR::Kwargs &args)
        : overflow(args, "overflow"), stall(args, "stall"), unplug(number(args, "unplug", -1)),
          settle(number(args, "settle", 0)), fast(number(args, "fast", 0) > 0), timed(number(args, "notime", 0) == 0)
    {
        std::this_thread::sleep_for(std::chrono::duration<double>(number(args, "hang", 0)));
        std::stringstream bandsText(args.count("bands") ? args.at("bands") : "");
        for (std::string band; std::getline(bandsText, band, '/');) {
            double lower, upper, level;
            if (std::sscanf(band.c_str(), "%lf:%lf:%lf", &lower, &upper, &level) == 3)
                bands.push_back({lower, upper, level});
        }
    }

    std::string getDriverKey() const override { return "rpmsntest"; }
    std::string getHardwareKey() const override { return "rpmsntest"; }
    size_t getNumChannels(const int direction) const override { return direction == SOAPY_SDR_RX; }
    std::vector<std::string> listAntennas(const int, const size_t) const override { return {"RX1", "RX2"}; }
    void setAntenna(const int, const size_t, const std::string &name) override
    {
        if (name != "RX1" && name != "RX2") throw std::runtime_error("no antenna " + name);
        antenna = name;
    }
    std::string getAntenna(const int, const size_t) const override { return antenna; }
    std::vector<std::string> listGains(const int, const size_t) const override { return {"TUNER"}; }
    bool hasGainMode(const int, const size_t) const override { return true; }
    void setGain(const int, const size_t, const std::string &, const double value) override { gain = value; }
    double getGain(const int, const size_t, const std::string &) const override { return gain; }
    SoapySDR::Range getGainRange(const int, const size_t, const std::string &) const override { return {0, 50}; }

    void setFrequency(const int, const size_t, const std::string &, const double value,
                      const SoapySDR::Kwargs &) override
    {
        if (value < LOWEST || value > HIGHEST) throw std::runtime_error("frequency out of range");
        std::lock_guard<std::mutex> lock(mutex);
        frequency = value;
        isHeard = false;
        unsettled = size_t(settle * rate);
    }
    double getFrequency(const int, const size_t, const std::string &) const override { return frequency; }
    std::vector<std::string> listFrequencies(const int, const size_t) const override { return {"RF"}; }
    SoapySDR::RangeList getFrequencyRange(const int, const size_t, const std::string &) const override
    {
        return {{LOWEST, HIGHEST}};
    }

    void setSampleRate(const int, const size_t, const double value) override
    {
        if (value < LOWEST_RATE || value > HIGHEST_RATE) throw std::runtime_error("sample rate out of range");
        std::lock_guard<std::mutex> lock(mutex);
        rate = value;
        isHeard = false;
    }
    double getSampleRate(const int, const size_t) const override { return rate; }
    SoapySDR::RangeList getSampleRateRange(const int, const size_t) const override
    {
        return {{LOWEST_RATE, HIGHEST_RATE}};
    }

    bool hasHardwareTime(const std::string &) const override { return timed; }
    long long getHardwareTime(const std::string &) const override { return hardwareTime(); }
    void setHardwareTime(const long long value, const std::string &) override { zero = value - streamTime(); }

    std::vector<std::string> getStreamFormats(const int, const size_t) const override { return {SOAPY_SDR_CF32}; }
    std::string getNativeStreamFormat(const int, const size_t, double &fullScale) const override
    {
        fullScale = 1.0;
        return SOAPY_SDR_CF32;
    }
    SoapySDR::Stream *setupStream(const int, const std::string &format, const std::vector<size_t> &,
                                  const SoapySDR::Kwargs &) override
    {
        if (format != SOAPY_SDR_CF32) throw std::runtime_error("only CF32");
        return reinterpret_cast<SoapySDR::Stream *>(this);
    }
    void closeStream(SoapySDR::Stream *) override {}
    size_t getStreamMTU(SoapySDR::Stream *) const override { return MTU; }
    int activateStream(SoapySDR::Stream *, const int, const long long, const size_t) override
    {
        started = Clock::now();
        begunAt = received;
        return 0;
    }
    int deactivateStream(SoapySDR::Stream *, const int, const long long) override { return 0; }

    int readStream(SoapySDR::Stream *, void *const *buffers, const size_t wanted, int &flags, long long &timeNs,
                   const long timeoutUs) override
    {
        std::lock_guard<std::mutex> lock(mutex);
        const double now = double(received) / rate;
        flags = 0;
        if (unplug >= 0 && now >= unplug) return SOAPY_SDR_STREAM_ERROR;
        if (stall.start >= 0 && now >= stall.start) {
            const long left = long(stall.length * 1e6), pause = left < timeoutUs ? left : timeoutUs;
            std::this_thread::sleep_for(std::chrono::microseconds(pause));
            stall.length -= pause * 1e-6;
            if (stall.length <= 1e-6) stall.start = -1;
            started += std::chrono::microseconds(pause);
            return SOAPY_SDR_TIMEOUT;
        }
        if (overflow.start >= 0 && now >= overflow.start) {
            received += size_t(overflow.length * rate);
            overflow.start = -1;
            flags = SOAPY_SDR_END_ABRUPT;
            return SOAPY_SDR_OVERFLOW;
        }
        const size_t count = wanted < MTU ? wanted : MTU;
        if (timed) {
            flags = SOAPY_SDR_HAS_TIME;
            timeNs = hardwareTime();
        }
        listen();
        auto *out = static_cast<Sample *>(buffers[0]);
        for (size_t index = 0; index < count; index++, received++) {
            out[index] = unsettled > 0 ? Sample(unsettled % 2 ? 1.f : -1.f, 1.f) : loop[received % LOOP];
            unsettled -= unsettled > 0;
        }
        const std::chrono::duration<double> passed((received - begunAt) / rate);
        if (!fast) std::this_thread::sleep_until(started + std::chrono::duration_cast<Clock::duration>(passed));
        return int(count);
    }

private:
    struct Band {
        double lower, upper, level;
    };

    // What is heard at this frequency and rate; made again when either has changed.
    void listen()
    {
        if (isHeard) return;
        std::mt19937 random(1);
        std::normal_distribution<float> normal(0, NOISE / std::sqrt(2));
        loop.resize(LOOP);
        for (auto &value : loop) value = {normal(random), normal(random)};
        for (const auto &band : bands) {
            const double lower = std::max(band.lower - frequency, -rate / 2);
            const double upper = std::min(band.upper - frequency, rate / 2);
            if (lower < upper) addBand(loop, lower, upper, band.level, rate, unsigned(band.lower / 1e3));
        }
        isHeard = true;
    }
    long long streamTime() const { return (long long)(double(received) / rate * 1e9); }
    long long hardwareTime() const { return zero + streamTime(); }

    Span overflow, stall;
    double unplug, settle;
    bool fast, timed;
    std::vector<Band> bands;
    double frequency = 100e6, rate = 2e6, gain = 0;
    std::string antenna = "RX1";
    bool isHeard = false;
    size_t received = 0, begunAt = 0, unsettled = 0;
    long long zero = 0;
    Clock::time_point started;
    std::vector<Sample> loop;
    std::mutex mutex;
};

SoapySDR::KwargsList find(const SoapySDR::Kwargs &args)
{
    if (args.count("driver") && args.at("driver") != "rpmsntest") return {};
    SoapySDR::Kwargs found = args;
    found["driver"] = "rpmsntest";
    found["label"] = "Test device of gr-rpmsn";
    found["serial"] = "1";
    return {found};
}

SoapySDR::Device *make(const SoapySDR::Kwargs &args) { return new TestDevice(args); }

SoapySDR::Registry registration("rpmsntest", &find, &make, SOAPY_SDR_ABI_VERSION);

}  // namespace
