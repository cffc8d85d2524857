#include "base/time.h"

#include <time.h>

#define MS_PER_DAY INT64_C(86400000)
#define MS_MIN (-INT64_C(62167219200000)) /* 0000-01-01T00:00:00.000Z */
#define MS_MAX INT64_C(253402300799999)   /* 9999-12-31T23:59:59.999Z */

typedef struct {
    int year, month, day;
} date_t;

/* Days since 1970-01-01. Counted from March, so that the leap day ends the
 * year; the offset of 400 years keeps every number positive. */
static int64_t
days_of(date_t d)
{
    int64_t y = d.year + 400 - (d.month <= 2);
    int64_t month = (d.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 865565;
}

static date_t
date_of(int64_t days)
{
    int64_t z = days + 865565;
    int64_t era = z / 146097, in_era = z % 146097;
    int64_t y =
        (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    int64_t month = (5 * in_year + 2) / 153;
    date_t d;

    d.day = (int)(in_year - (153 * month + 2) / 5 + 1);
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year = (int)(y + era * 400 - 400 + (d.month <= 2));
    return d;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
        31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

/* Exactly n digits at *pos. */
static bool
take_digits(kappa_str_t s, size_t *pos, size_t n, int *out)
{
    int v = 0;

    if (s.len - *pos < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char c = s.data[*pos + i];

        if (c < '0' || c > '9') {
            return false;
        }
        v = v * 10 + (c - '0');
    }
    *pos += n;
    *out = v;
    return true;
}

static bool
take_char(kappa_str_t s, size_t *pos, char c)
{
    if (*pos < s.len && s.data[*pos] == c) {
        (*pos)++;
        return true;
    }
    return false;
}

static bool
take_date(kappa_str_t s, size_t *pos, date_t *d)
{
    return take_digits(s, pos, 4, &d->year) && take_char(s, pos, '-')
        && take_digits(s, pos, 2, &d->month) && take_char(s, pos, '-')
        && take_digits(s, pos, 2, &d->day) && d->month >= 1 && d->month <= 12
        && d->day >= 1 && d->day <= days_in_month(d->year, d->month);
}

/* HH:MM:SS[.fraction] in ms. */
static bool
take_clock(kappa_str_t s, size_t *pos, int64_t *ms)
{
    int hour, minute, second, fraction = 0, scale = 100;

    if (!take_digits(s, pos, 2, &hour) || !take_char(s, pos, ':')
        || !take_digits(s, pos, 2, &minute) || !take_char(s, pos, ':')
        || !take_digits(s, pos, 2, &second) || hour > 23 || minute > 59
        || second > 59) {
        return false;
    }
    if (take_char(s, pos, '.')) {
        int digit;

        if (!take_digits(s, pos, 1, &digit)) {
            return false;
        }
        do {
            fraction += digit * scale;
            scale /= 10;
        } while (take_digits(s, pos, 1, &digit));
    }
    *ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + fraction;
    return true;
}

/* Z or +HH:MM, to what has to be subtracted. */
static bool
take_offset(kappa_str_t s, size_t *pos, int64_t *ms)
{
    int hour, minute, sign;

    if (take_char(s, pos, 'Z') || take_char(s, pos, 'z')) {
        *ms = 0;
        return true;
    }
    if (take_char(s, pos, '+')) {
        sign = 1;
    } else if (take_char(s, pos, '-')) {
        sign = -1;
    } else {
        return false;
    }
    if (!take_digits(s, pos, 2, &hour) || !take_char(s, pos, ':')
        || !take_digits(s, pos, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *ms = sign * (hour * 60 + minute) * INT64_C(60000);
    return true;
}

bool
kappa_time_parse(kappa_str_t s, int64_t *ms)
{
    size_t pos = 0;
    int64_t clock, offset;
    date_t date;

    if (!take_date(s, &pos, &date)
        || !(take_char(s, &pos, 'T') || take_char(s, &pos, 't'))
        || !take_clock(s, &pos, &clock) || !take_offset(s, &pos, &offset)
        || pos != s.len) {
        return false;
    }
    int64_t time = days_of(date) * MS_PER_DAY + clock - offset;
    if (time < MS_MIN || time > MS_MAX) {
        return false;
    }
    *ms = time;
    return true;
}

static char *
put_digits(char *p, int v, int n)
{
    for (int i = n; i-- > 0; v /= 10) {
        p[i] = (char)('0' + v % 10);
    }
    return p + n;
}

/* A time out of range is shown as the nearest one in it. */
void
kappa_time_format(int64_t ms, char out[KAPPA_TIME_CHARS])
{
    ms = ms < MS_MIN ? MS_MIN : ms > MS_MAX ? MS_MAX : ms;
    int64_t since = ms - MS_MIN;
    date_t d = date_of(since / MS_PER_DAY + MS_MIN / MS_PER_DAY);
    int in_day = (int)(since % MS_PER_DAY);

    char *p = put_digits(out, d.year, 4);
    *p++ = '-';
    p = put_digits(p, d.month, 2);
    *p++ = '-';
    p = put_digits(p, d.day, 2);
    *p++ = 'T';
    p = put_digits(p, in_day / 3600000, 2);
    *p++ = ':';
    p = put_digits(p, in_day / 60000 % 60, 2);
    *p++ = ':';
    p = put_digits(p, in_day / 1000 % 60, 2);
    *p++ = '.';
    p = put_digits(p, in_day % 1000, 3);
    *p = 'Z';
}

bool
kappa_date_valid(kappa_str_t s)
{
    size_t pos = 0;
    date_t date;

    return take_date(s, &pos, &date) && pos == s.len;
}

bool
kappa_duration_parse(kappa_str_t s, int64_t *ms)
{
    static const struct {
        kappa_str_t name;
        int64_t ms;
    } units[] = { { { "ms", 2 }, 1 }, { { "s", 1 }, 1000 },
        { { "m", 1 }, 60000 }, { { "h", 1 }, 3600000 },
        { { "d", 1 }, MS_PER_DAY } };
    size_t digits = 0;
    int64_t n;

    while (digits < s.len && s.data[digits] >= '0' && s.data[digits] <= '9') {
        digits++;
    }
    if (!kappa_str_to_int64(kappa_str(s.data, digits), &n)) {
        return false;
    }
    kappa_str_t unit = kappa_str(s.data + digits, s.len - digits);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (kappa_str_eq(unit, units[i].name)) {
            return !__builtin_mul_overflow(n, units[i].ms, ms);
        }
    }
    return false;
}

int64_t
kappa_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
kappa_monotonic_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
